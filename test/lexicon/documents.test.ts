import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import documents from "../../src/core/lexicon/documents.json" with { type: "json" }
import { Catalog } from "../../src/core/lexicon/Catalog.ts"
import { checkDocument } from "../../src/core/lexicon/documents.ts"
import { builtIn } from "../../src/core/lexicon/Lexicons.ts"
import { fullName, type Definitions } from "../../src/core/lexicon/schema.ts"

const entries = Object.entries(documents)
const catalog = new Catalog(documents as unknown as Record<string, Definitions>)

const visit = (node: unknown, each: (node: Record<string, unknown>) => void): void => {
  if (typeof node !== "object" || node === null) return
  if (!Array.isArray(node)) each(node as Record<string, unknown>)
  for (const inner of Object.values(node)) visit(inner, each)
}

describe("the built-in lexicon documents", () => {
  it("the documents are up to date with `npm run lexicons`", () => {
    const script = join(import.meta.dirname, "../../scripts/lexicons.ts")
    execFileSync(process.execPath, [script, "--check"])
  })

  it("every document is a valid lexicon document", () => {
    for (const [id, defs] of entries) {
      const result = checkDocument({ lexicon: 1, id, defs })
      assert.isTrue(Result.isSuccess(result), `${id}: ${JSON.stringify(result)}`)
    }
  })

  it("every reference resolves to a definition", () => {
    const refs: Array<string> = []
    for (const [id, defs] of entries) {
      visit(defs, (node) => {
        if (node["type"] === "ref") refs.push(fullName(String(node["ref"]), id))
        if (node["type"] === "union") {
          refs.push(...(node["refs"] as Array<string>).map((ref) => fullName(ref, id)))
        }
      })
    }
    assert.isAbove(refs.length, 100)
    assert.deepStrictEqual(
      refs.filter((ref) => catalog.check(ref) === undefined),
      []
    )
  })

  it("every definition compiles", () => {
    for (const [id, defs] of entries) {
      for (const [name, definition] of Object.entries(defs)) {
        const described = !["query", "procedure", "subscription"].includes(definition.type)
        assert.strictEqual(catalog.check(`${id}#${name}`) !== undefined, described, `${id}#${name}`)
      }
    }
  })

  it("the documents only have input defaults that checkInput applies", () => {
    const nested: Array<string> = []
    for (const [id, defs] of entries) {
      const { main } = defs as { main?: { input?: { schema?: { properties?: object } } } }
      for (const property of Object.values(main?.input?.schema?.properties ?? {})) {
        for (const inner of Object.values(property as object)) {
          visit(inner, (node) => "default" in node && nested.push(id))
        }
      }
    }
    assert.deepStrictEqual(nested, [])
  })

  it("the documents cover the methods and records of this server", () => {
    assert.strictEqual(builtIn.kindOf("com.atproto.repo.applyWrites"), "procedure")
    assert.strictEqual(builtIn.kindOf("com.atproto.sync.subscribeRepos"), "subscription")
    assert.strictEqual(builtIn.kindOf("app.bsky.actor.putPreferences"), "procedure")
    assert.strictEqual(builtIn.kindOf("app.bsky.feed.post"), "record")
    assert.strictEqual(builtIn.kindOf("app.bsky.feed.getTimeline"), undefined)
    assert.strictEqual(builtIn.kindOf("app.bsky.richtext.facet"), undefined)
    assert.strictEqual(builtIn.kindOf("constructor"), undefined)
  })
})
