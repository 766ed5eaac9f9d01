import { assert, describe, it } from "@effect/vitest"
import { join } from "node:path"
import { breachesOf, crowdedFolders, importsOf, readSources } from "../../../scripts/walls.ts"

const check = (files: Record<string, string>) => breachesOf(new Map(Object.entries(files)))

describe("the architecture's walls", () => {
  it("the walls hold in src", () => {
    const sources = readSources(join(import.meta.dirname, "../../../src"))
    assert.isAbove(sources.size, 10)
    assert.deepStrictEqual(breachesOf(sources), [])
  })

  it("no folder of tests has more files than one of src may have", () => {
    const tests = readSources(join(import.meta.dirname, "../.."))
    for (const file of tests.keys()) if (file.includes("node_modules/")) tests.delete(file)
    assert.isAbove(tests.size, 100)
    assert.deepStrictEqual(crowdedFolders(tests.keys()), [])
    const crowd = Array.from({ length: 26 }, (_, n) => `host/${n}.test.ts`)
    assert.deepStrictEqual(crowdedFolders(crowd), ["host holds 26 files, more than 25"])
  })

  it("importsOf reads every form of import and ignores comments", () => {
    const text = `
import * as Effect from "effect/Effect"
import type { A } from "./a.ts"
import {
  b,
  type C
} from "./b.ts"
import "./side.ts"
export { d } from "./d.ts"
export * from "./e.ts"
// import { no } from "./comment.ts"
/** import { no } from "./doc.ts" */
const f = import("./f.ts")
`
    assert.deepStrictEqual(importsOf(text), [
      "effect/Effect",
      "./a.ts",
      "./b.ts",
      "./side.ts",
      "./d.ts",
      "./e.ts",
      "./f.ts"
    ])
  })

  it("the pure core may not import Effect or any other part", () => {
    assert.lengthOf(check({ "core/repo/a.ts": `import * as Effect from "effect/Effect"\n` }), 1)
    assert.lengthOf(
      check({ "core/lexicon/a.ts": `import type { X } from "../../services/repo/X.ts"\n` }),
      1
    )
    assert.lengthOf(check({ "core/identity/a.ts": `import { x } from "../repo/cid.ts"\n` }), 0)
  })

  it("services may not import layers or http, nor these each other", () => {
    assert.lengthOf(check({ "services/A.ts": `import { x } from "../layers/X.ts"\n` }), 1)
    assert.lengthOf(check({ "services/A.ts": `import { x } from "../http/x.ts"\n` }), 1)
    assert.lengthOf(check({ "layers/A.ts": `import { x } from "../http/x.ts"\n` }), 1)
    assert.lengthOf(check({ "http/a.ts": `import { x } from "../layers/X.ts"\n` }), 1)
    assert.lengthOf(check({ "layers/A.ts": `import { X } from "../services/X.ts"\n` }), 0)
  })

  it("the platform's and Effect's modules are allowed only in their places", () => {
    assert.lengthOf(check({ "http/a.ts": `import { env } from "cloudflare:workers"\n` }), 1)
    assert.lengthOf(check({ "options.ts": `import { env } from "cloudflare:workers"\n` }), 0)
    assert.lengthOf(check({ "layers/A.ts": `import * as R from "effect/http/HttpRouter"\n` }), 1)
    assert.lengthOf(check({ "services/A.ts": `import * as S from "effect/sql/SqlClient"\n` }), 1)
    assert.lengthOf(check({ "services/A.ts": `import { Effect } from "effect"\n` }), 1)
  })

  it("a server's texts reach the terminal only through a format or the one outlet", () => {
    assert.lengthOf(check({ "cli/a.ts": "const Answer = Schema.String\n" }), 1)
    assert.lengthOf(check({ "cli/a.ts": "Console.log(answer)\n" }), 1)
    assert.lengthOf(check({ "cli/a.ts": "process.stderr.write(answer)\n" }), 1)
    assert.lengthOf(check({ "cli/output.ts": "Console.log(text)\n" }), 0)
  })

  it("the walls find import cycles, long files, and what belongs in layers", () => {
    const cycle = check({
      "core/repo/a.ts": `import { b } from "./b.ts"\n`,
      "core/repo/b.ts": `import { a } from "./a.ts"\n`
    })
    assert.deepStrictEqual(cycle, [
      "import cycle: core/repo/a.ts → core/repo/b.ts → core/repo/a.ts"
    ])
    const types = check({
      "core/repo/a.ts": `import { b } from "./b.ts"\n`,
      "core/repo/b.ts": `import type { A } from "./a.ts"\n`
    })
    assert.deepStrictEqual(types, [])
    assert.lengthOf(check({ "core/repo/a.ts": "const a = 1\n".repeat(301) }), 1)
    assert.lengthOf(check({ "services/A.ts": "const now = Date.now()\n" }), 1)
    assert.lengthOf(check({ "http/a.ts": "const f = async () => 1\n" }), 1)
    assert.lengthOf(check({ "http/a.ts": "// never try { or Date.now()\n" }), 0)
    assert.lengthOf(check({ "services/A.ts": "Effect.try({ try: () => 1 })\n" }), 0)
  })
})
