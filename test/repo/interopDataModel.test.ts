import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { encode } from "../../src/core/repo/cbor.ts"
import { decode } from "../../src/core/repo/cborDecode.ts"
import { cidForCbor } from "../../src/core/repo/cid.ts"
import { fromJson, InvalidData, toJson } from "../../src/core/repo/json.ts"
import { recordFromJson } from "./recordFromJson.ts"
import { vectorsOf } from "../support/vectors.ts"

const folder = await vectorsOf("data-model")

interface Case {
  readonly note: string
  readonly json: unknown
}

interface Fixture {
  readonly json: unknown
  readonly cbor_base64: string
  readonly cid: string
}

const read = <A>(name: string): Array<A> =>
  JSON.parse(readFileSync(join(folder, name), "utf8")) as Array<A>

describe("data model vectors", () => {
  it("the interop files hold data model vectors", () => {
    for (const name of ["fixtures", "valid", "invalid"]) {
      assert.isAbove(read(`data-model-${name}.json`).length, 0)
    }
  })

  for (const { json, cbor_base64, cid } of read<Fixture>("data-model-fixtures.json")) {
    it(`vector ${cid} has the same JSON, CBOR and CID, both ways`, () => {
      const bytes = encode(fromJson(json))
      assert.strictEqual(Buffer.from(bytes).toString("base64").replace(/=+$/, ""), cbor_base64)
      assert.strictEqual(cidForCbor(bytes).toString(), cid)
      assert.deepStrictEqual(toJson(decode(bytes)), json)
    })
  }

  for (const { note, json } of read<Case>("data-model-valid.json")) {
    it(`vector "${note}" is accepted and survives encoding`, () => {
      assert.deepStrictEqual(toJson(decode(encode(recordFromJson(json)))), json)
    })
  }

  for (const { note, json } of read<Case>("data-model-invalid.json")) {
    it(`vector "${note}" is rejected`, () => {
      assert.throws(() => recordFromJson(json), InvalidData)
    })
  }
})
