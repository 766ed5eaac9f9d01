import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")
const texts = "src/http/pages/text"

/** The catalogues of what members read: all but the console's. */
const catalogues = [
  ...readdirSync(join(root, texts))
    .filter((name) => !name.startsWith("console"))
    .map((name) => `${texts}/${name}`),
  ...readdirSync(join(root, "src/services/mail"))
    .filter((name) => name.endsWith("Texts.ts"))
    .map((name) => `src/services/mail/${name}`)
]

describe("what members read", () => {
  it("no page and no mail sends a member to a command or a terminal", () => {
    assert.isAtLeast(catalogues.length, 15)
    for (const file of catalogues) {
      const source = readFileSync(join(root, file), "utf8")
      const lines = source.split("\n").filter((line) => !/^(import|export \{)/.test(line))
      for (const line of lines) {
        assert.notMatch(line, /\b(npx|npm)\b|\bnacre [a-z]|\bterminal\b|command line/i, file)
      }
    }
  })
})
