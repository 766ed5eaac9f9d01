import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Catalog } from "../../src/core/lexicon/Catalog.ts"
import { checkDocument } from "../../src/core/lexicon/documents.ts"
import type { Definitions } from "../../src/core/lexicon/schema.ts"
import { fromJson } from "../../src/core/repo/json.ts"
import { vectorsOf } from "../support/vectors.ts"

interface Named {
  readonly name: string
  readonly lexicon?: unknown
  readonly data?: unknown
}

const folder = await vectorsOf("lexicon")

const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"))
const cases = (name: string): Array<Named> => read(name) as Array<Named>

const catalog = (): Catalog => {
  const documents: Record<string, Definitions> = {}
  for (const file of readdirSync(join(folder, "catalog"))) {
    const result = checkDocument(read(`catalog/${file}`))
    assert.isTrue(result.ok, `${file}: ${JSON.stringify(result)}`)
    if (result.ok) documents[result.value.id] = result.value.defs
  }
  return new Catalog(documents)
}

/**
 * Includes the data model: a value that can't be converted is invalid before any schema applies.
 */
const verdict = (data: unknown): unknown => {
  try {
    return catalog().checkRecord("example.lexicon.record", fromJson(data))
  } catch (error) {
    return { ok: false, issue: String(error) }
  }
}

describe("lexicon vectors", () => {
  it("every document of the catalog is a valid lexicon document", () => {
    assert.strictEqual(catalog().kindOf("example.lexicon.query"), "query")
  })

  for (const { name, lexicon } of cases("lexicon-valid.json")) {
    it(`the document “${name}” is accepted`, () => {
      assert.deepInclude(checkDocument(lexicon), { ok: true })
    })
  }

  for (const { name, lexicon } of cases("lexicon-invalid.json")) {
    it(`the document with “${name}” is rejected`, () => {
      assert.deepInclude(checkDocument(lexicon), { ok: false })
    })
  }

  for (const { name, data } of cases("record-data-valid.json")) {
    it(`the record “${name}” is accepted`, () => {
      assert.deepEqual(verdict(data), { ok: true })
    })
  }

  for (const [index, { name, data }] of cases("record-data-invalid.json").entries()) {
    it(`the record with “${name}” (${index}) is rejected`, () => {
      assert.deepInclude(verdict(data), { ok: false })
    })

    // Some of these lack the required field too; the fault in their name must suffice.
    if (name !== "missing required field") {
      it(`the record with “${name}” (${index}) is rejected for that reason alone`, () => {
        assert.deepInclude(verdict({ integer: 1, ...(data as object) }), { ok: false })
      })
    }
  }
})
