import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "../../..")
const read = (path: string) => readFileSync(join(root, path), "utf8")
const readme = read("README.md")

const anchorOf = (heading: string) => heading.toLowerCase().replaceAll(/[^\w]+/g, "-")

/** The text below a heading of the README. */
const sectionOf = (anchor: string): string =>
  readme.split(/^## /m).find((section) => anchorOf(section.split("\n", 1)[0]!) === anchor) ?? ""

/**
 * What a reader looks for: the section that the table of contents links to, and the answer there.
 */
const questions = [
  ["add the family", "look-after-it", /\*\*Add your family\.\*\* `npx nacre invite create`/],
  [
    "back up",
    "look-after-it",
    /\*\*Back up\.\*\*[^\n]*`npx nacre backup list`[^\n]*operate\/backup\.md/
  ],
  ["use an own domain", "look-after-it", /\*\*Use your own domain[^\n]*your-own-domain\.md/],
  ["know what it costs", "what-it-costs", /\| a family of 5 \| \$5 \| \$5 \|/],
  ["update", "look-after-it", /\*\*Update\.\*\* `npx nacre upgrade`/],
  ["move in", "move-in", /npx nacre migrate /],
  ["go online", "go-online", /npx nacre init\nnpx nacre deploy/]
] as const

/** People read about 240 words in 60 seconds. */
const wordsOfAMinute = 240

/** The monthly price on the $5 plan under the assumptions of the table of costs. */
const priceOf = (column: number): number => {
  const used = (row: RegExp) => {
    const cells = (read("docs/operate/costs-and-limits.md").match(row)?.[0] ?? "").split("|")
    const number = (cell: string | undefined) => Number(cell?.replaceAll(/[^\d.]/g, ""))
    return (
      Math.max(0, number(cells[1 + column]) - number(cells[6])) *
      number(cells[7]!.replace(/\$([\d.]+).*/, "$1"))
    )
  }
  return (
    5 +
    used(/^\| Worker requests.*$/m) +
    used(/^\| object requests.*$/m) +
    used(/^\| rows written \|.*$/m) +
    used(/^\| R2, GB.*$/m)
  )
}

describe("the README", () => {
  it("the README has 150 to 180 lines, and a picture below 100 KB", () => {
    const lines = readme.trimEnd().split("\n").length
    assert.isAtLeast(lines, 150)
    assert.isAtMost(lines, 180)
    const [, picture = ""] = /!\[[^\]]+\]\(([^)]+)\)/.exec(readme) ?? []
    assert.isBelow(readFileSync(join(root, picture)).byteLength, 100_000)
  })

  it.each(questions)("the README answers within a minute how to %s", (_, anchor, answer) => {
    const link = `](#${anchor})`
    assert.include(readme, link)
    const contents = readme.slice(0, readme.indexOf(link))
    const section = sectionOf(anchor)
    const at = section.search(answer)
    assert.isAtLeast(at, 0)
    const prose = `${contents}${section.slice(0, at)}`.replaceAll(/\]\([^)]*\)/g, "]")
    assert.isAtMost(prose.split(/\s+/).length, wordsOfAMinute)
  })

  it("the README's prices follow from the table of costs", () => {
    const [one, five, thirty, twoHundred] = [1, 2, 3, 4].map(priceOf)
    const dollars = [one, five, thirty, twoHundred].map((price) => `$${price!.toFixed(2)}`)
    assert.include(
      read("docs/operate/costs-and-limits.md"),
      `| **$5 plan** | ${dollars.join(" | ")} |`
    )
    assert.include(readme, `about $${Math.round(twoHundred!)} |`)
  })
})
