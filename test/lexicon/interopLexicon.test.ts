import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
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
    if (Result.isFailure(result)) assert.fail(`${file}: ${JSON.stringify(result)}`)
    documents[result.success.id] = result.success.defs
  }
  return new Catalog(documents)
}

/** Fails for a value that the data model rejects before any schema applies. */
const verdict = (data: unknown) =>
  Result.flatMap(
    Result.try({ try: () => fromJson(data), catch: String }),
    (record): Result.Result<unknown, unknown> =>
      catalog().checkRecord("example.lexicon.record", record)
  )

describe("lexicon vectors", () => {
  it("every document of the catalog is a valid lexicon document", () => {
    assert.strictEqual(catalog().kindOf("example.lexicon.query"), "query")
  })

  for (const { name, lexicon } of cases("lexicon-valid.json")) {
    it(`the document “${name}” is accepted`, () => {
      assert.isTrue(Result.isSuccess(checkDocument(lexicon)))
    })
  }

  for (const { name, lexicon } of cases("lexicon-invalid.json")) {
    it(`the document with “${name}” is rejected`, () => {
      assert.isTrue(Result.isFailure(checkDocument(lexicon)))
    })
  }

  for (const { name, data } of cases("record-data-valid.json")) {
    it(`the record “${name}” is accepted`, () => {
      assert.deepEqual(verdict(data), Result.succeed("valid"))
    })
  }

  for (const [index, { name, data }] of cases("record-data-invalid.json").entries()) {
    it(`the record with “${name}” (${index}) is rejected`, () => {
      assert.isTrue(Result.isFailure(verdict(data)))
    })

    // Some of these lack the required field too; the fault in their name must suffice.
    if (name !== "missing required field") {
      it(`the record with “${name}” (${index}) is rejected for that reason alone`, () => {
        assert.isTrue(Result.isFailure(verdict({ integer: 1, ...(data as object) })))
      })
    }
  }
})
