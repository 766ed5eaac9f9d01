import { assert, describe, it } from "@effect/vitest"
import { encode } from "../../../src/core/repo/cbor.ts"
import { decode } from "../../../src/core/repo/cborDecode.ts"
import { fromJson, InvalidData, toJson } from "../../../src/core/repo/json.ts"
import { recordFromJson } from "../recordFromJson.ts"
import * as Support from "./support.ts"

const link = "bafkreiccldh766hwcnuxnf2wh6jgzepf2nlu2lvcllt63eww5p6chi4ity"
const nested = (levels: number): unknown => {
  let value: unknown = []
  for (let i = 1; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value }
  return value
}

describe("the JSON form of a value", () => {
  it("any value survives the conversion to JSON and back", () => {
    Support.forSeeds(1000, (chance) => {
      const value = Support.someData(chance)
      const json: unknown = JSON.parse(JSON.stringify(toJson(value)))
      assert.deepStrictEqual([...encode(fromJson(json))], [...encode(value)])
    })
  })

  it("fromJson accepts $bytes with and without padding, and toJson writes none", () => {
    for (const text of ["AQI=", "AQI"]) {
      const bytes = fromJson({ $bytes: text })
      assert.deepStrictEqual(bytes, new Uint8Array([1, 2]))
      assert.deepStrictEqual(toJson(bytes), { $bytes: "AQI" })
    }
  })

  it("fromJson ignores bits after the last byte of $bytes", () => {
    assert.deepStrictEqual(fromJson({ $bytes: "AR" }), new Uint8Array([1]))
    assert.deepStrictEqual(fromJson({ $bytes: "AR==" }), new Uint8Array([1]))
  })

  it("toJson writes long bytes completely", () => {
    const bytes = new Uint8Array(100_000).map((_, i) => i)
    assert.deepStrictEqual(fromJson(toJson(bytes)), bytes)
  })

  it("fromJson reads -0 as 0", () => assert.isTrue(Object.is(fromJson(-0), 0)))

  it("fromJson and toJson keep the key __proto__ as an own key", () => {
    const json: unknown = JSON.parse('{"__proto__":{"admin":true},"a":1}')
    const data = fromJson(json)
    assert.strictEqual(Object.getPrototypeOf(data), Object.prototype)
    assert.strictEqual(({} as { admin?: boolean }).admin, undefined)
    assert.strictEqual(
      JSON.stringify(toJson(decode(encode(data)))),
      '{"a":1,"__proto__":{"admin":true}}'
    )
  })

  it("fromJson accepts 32 levels and rejects 33", () => {
    assert.doesNotThrow(() => fromJson(nested(32)))
    assert.throws(() => fromJson(nested(33)), InvalidData)
  })

  it("fromJson rejects a hundred thousand levels without a stack overflow", () => {
    assert.throws(() => fromJson(nested(100_000)), InvalidData)
  })

  const blob = { $type: "blob", ref: { $link: link }, mimeType: "image/jpeg", size: 10 }

  it("fromJson accepts a blob", () => assert.deepStrictEqual(toJson(fromJson(blob)), blob))

  for (const [what, json] of Object.entries({
    "a float": 0.5,
    "an integer beyond the safe ones": 2 ** 53,
    undefined: undefined,
    "an undefined field": { a: undefined },
    "a hole in an array": Object.assign([], { 1: 2 }),
    "a date": new Date(0),
    "a lone surrogate": ["\ud83d"],
    "a key with a lone surrogate": { "\ud83d": 1 },
    "a $link with another key": { $link: link, a: 1 },
    "a $link that is no text": { $link: null },
    "a $link that is no CID": { $link: "bafy" },
    "a $link of another codec": {
      $link: "bafybeiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"
    },
    "a $bytes with another key": { $bytes: "AQI", $type: "bytes" },
    "a $bytes that is no text": { $bytes: [1] },
    "a $bytes of the other alphabet": { $bytes: "_-_-" },
    "a $bytes with white space": { $bytes: "AQ I" },
    "a $bytes of impossible length": { $bytes: "A" },
    "a $bytes with too little padding": { $bytes: "AQ=" },
    "a $bytes that is just padding": { $bytes: "=" },
    "a blob without a size": { ...blob, size: undefined },
    "a blob of negative size": { ...blob, size: -1 },
    "a blob with another key": { ...blob, alt: "" },
    "a blob whose ref is text": { ...blob, ref: link },
    "a blob without a media type": { ...blob, mimeType: "" },
    "an empty $type, deep inside": { a: [{ $type: "" }] }
  })) {
    it(`fromJson rejects ${what}`, () => assert.throws(() => fromJson(json), InvalidData))
  }

  it("a record's JSON must be an object", () => {
    for (const json of [null, "a", 1, true, [], { $link: link }, { $bytes: "" }]) {
      assert.throws(() => recordFromJson(json), InvalidData)
    }
  })
})
