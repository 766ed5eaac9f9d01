import { assert, describe, it } from "@effect/vitest"
import { CID } from "multiformats/cid"
import { encode } from "../../../src/core/repo/cbor.ts"
import { decodeLoose, readStoredRecord } from "../../../src/core/repo/cborLoose.ts"
import { cidForRaw } from "../../../src/core/repo/cid.ts"
import { toJson } from "../../../src/core/repo/json.ts"
import { blockToJsonText } from "../../../src/core/repo/jsonText.ts"
import * as Support from "./support.ts"

const bytes = (...parts: ReadonlyArray<number | string>): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "number" ? [part] : [...new TextEncoder().encode(part)]
    )
  )

/** A map with one field, `a`, whose value has these bytes. */
const field = (...value: ReadonlyArray<number | string>) => bytes(0xa1, 0x61, "a", ...value)

const foreign = CID.parse("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnrmbH")

const odd: ReadonlyArray<readonly [what: string, block: Uint8Array, json: string]> = [
  ["a float of 64 bits", field(0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0), '{"a":1.5}'],
  ["a float of 32 bits", field(0xfa, 0x3f, 0xc0, 0, 0), '{"a":1.5}'],
  ["a float of 16 bits", field(0xf9, 0x3e, 0), '{"a":1.5}'],
  ["a tiny float of 16 bits", field(0xf9, 0x80, 1), `{"a":${-(2 ** -24)}}`],
  ["infinity", field(0xf9, 0x7c, 0), '{"a":null}'],
  ["a float that is no number", field(0xf9, 0x7e, 0), '{"a":null}'],
  ["undefined", field(0xf7), '{"a":null}'],
  ["an integer beyond 53 bits", field(0x1b, 0, 0x40, 0, 0, 0, 0, 0, 1), '{"a":18014398509481985}'],
  [
    "a negative integer beyond 53 bits",
    field(0x3b, 0, 0x40, 0, 0, 0, 0, 0, 0),
    '{"a":-18014398509481985}'
  ],
  ["a number in too many bytes", field(0x19, 0, 5), '{"a":5}'],
  ["keys out of order", bytes(0xa2, 0x62, "zz", 1, 0x61, "a", 2), '{"zz":1,"a":2}'],
  ["half a surrogate pair", field(0x63, 0xed, 0xa0, 0xbd), '{"a":"\ufffd\ufffd\ufffd"}'],
  ["a tag that is no link's", field(0xc0, 0x62, "no"), '{"a":"no"}'],
  [
    "a link to a CID of version 0",
    field(0xd8, 42, 0x58, foreign.bytes.length + 1, 0, ...foreign.bytes),
    `{"a":{"$link":"${foreign.toString()}"}}`
  ],
  [
    "a link beside a float",
    bytes(
      0xa2,
      0x61,
      "f",
      0xf9,
      0x3e,
      0,
      0x61,
      "l",
      0xd8,
      42,
      0x58,
      37,
      0,
      ...cidForRaw(bytes()).bytes
    ),
    `{"f":1.5,"l":{"$link":"${cidForRaw(bytes()).toString()}"}}`
  ]
]

const fieldless: ReadonlyArray<readonly [what: string, block: Uint8Array]> = [
  ["a list", bytes(0x82, 1, 2)],
  ["a number", bytes(5)],
  ["a text", bytes(0x61, "a")],
  ["no bytes", bytes()],
  ["a map that breaks off", bytes(0xa2, 0x61, "a", 1)],
  ["a list that says it has four billion items", field(0x9a, 0xff, 0xff, 0xff, 0xff)],
  ["a text longer than the block", field(0x7b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
  ["an indefinite length", bytes(0xbf, 0x61, "a", 1, 0xff)],
  ["a key that is no text", bytes(0xa1, 1, 2)],
  ["bytes after the map", bytes(0xa0, 0)],
  ["a thousand levels", bytes(0xa1, 0x61, "a", ...Array.from({ length: 1000 }, () => 0x81), 1)],
  ["ten thousand levels of tags", field(...Array.from({ length: 10_000 }, () => 0xc0), 1)]
]

describe("the JSON text of a stored block", () => {
  it("blockToJsonText equals the JSON of the decoded values, for any record", () => {
    Support.forSeeds(1000, (chance) => {
      const record = { value: Support.someData(chance) }
      assert.deepStrictEqual(
        JSON.parse(blockToJsonText(encode(record))),
        JSON.parse(JSON.stringify(toJson(record)))
      )
    })
  })

  for (const [what, block, json] of odd) {
    it(`blockToJsonText writes ${what} as far as JSON can hold it`, () => {
      assert.strictEqual(blockToJsonText(block), json)
      assert.isString(readStoredRecord(block).oddity)
    })
  }

  for (const [what, block] of fieldless) {
    it(`blockToJsonText returns an object with the bytes for a block that is ${what}`, () => {
      const base64 = Buffer.from(block).toString("base64").replace(/=+$/, "")
      assert.strictEqual(blockToJsonText(block), `{"block":{"$bytes":"${base64}"}}`)
      assert.isDefined(readStoredRecord(block).oddity)
      assert.deepStrictEqual(readStoredRecord(block).fields, {})
    })
  }

  it("blockToJsonText returns a JSON object for any bytes", () => {
    Support.forSeeds(2000, (chance) => {
      const block = encode({ value: Support.someData(chance) })
      for (let spoilt = 0; spoilt < 3; spoilt++) {
        block[chance.below(block.length)] = chance.below(256)
        const json: unknown = JSON.parse(blockToJsonText(block))
        assert.isTrue(typeof json === "object" && json !== null && !Array.isArray(json))
      }
    })
  })
})

describe("the lenient decoder", () => {
  it("readStoredRecord returns the fields of an odd record, even __proto__", () => {
    const block = bytes(0xa2, 0x69, "__proto__", 0xa1, 0x61, "x", 1, 0x61, "a", 0xf9, 0x3e, 0)
    const { fields } = readStoredRecord(block)
    assert.deepStrictEqual(Object.keys(fields), ["__proto__", "a"])
    assert.strictEqual(Object.getPrototypeOf(fields), Object.prototype)
  })

  it("readStoredRecord finds nothing odd in strict records", () => {
    const block = encode({ a: [1, null, "é", cidForRaw(bytes(1))] })
    assert.isUndefined(readStoredRecord(block).oddity)
    assert.deepStrictEqual(decodeLoose(block), readStoredRecord(block).fields)
  })
})
