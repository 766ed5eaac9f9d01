import { assert, describe, it } from "@effect/vitest"
import { decode as decodeCborg, encode as encodeCborg, Token, Type } from "cborg"
import { encode, InvalidCbor, type Data } from "../../../src/core/repo/cbor.ts"
import { decode, decodeFirst } from "../../../src/core/repo/cborDecode.ts"
import { Cid } from "../../../src/core/repo/cid.ts"
import * as Support from "./support.ts"

const oracle = (value: Data): Uint8Array =>
  encodeCborg(value, {
    typeEncoders: {
      Object: (object: unknown) =>
        object instanceof Cid
          ? [new Token(Type.tag, 42), new Token(Type.bytes, new Uint8Array([0, ...object.bytes]))]
          : null
    }
  })

/** cborg doesn't decode links by default. */
const withoutLinks = (value: Data): Data => {
  if (value instanceof Cid) return value.bytes
  if (Array.isArray(value)) return value.map(withoutLinks)
  return value === null || typeof value !== "object" || value instanceof Uint8Array
    ? value
    : Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutLinks(one)]))
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const unhex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"))
const nested = (levels: number): Data => {
  let value: Data = []
  for (let i = 1; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value }
  return value
}

describe("the DAG-CBOR encoder", () => {
  it("the encoder writes the same bytes as cborg for any value", () => {
    Support.forSeeds(2000, (chance) => {
      const value = Support.someData(chance)
      assert.strictEqual(hex(encode(value)), hex(oracle(value)))
    })
  })

  it("the encoder orders keys by their UTF-8 rather than their UTF-16", () => {
    const value = { "😀": 1, "\ue000a": 2, zzzz: 3, "": 4, ä: 5, zz: 6 }
    assert.strictEqual(hex(encode(value)), hex(oracle(value)))
    assert.deepStrictEqual(decode(encode(value)), value)
  })

  it("the encoder writes text of every length around the limits of its head", () => {
    for (const length of [
      0, 22, 23, 24, 25, 47, 48, 49, 84, 85, 86, 254, 255, 256, 257, 65535, 65536
    ]) {
      for (const unit of ["x", "ä", "€"]) {
        const text = unit.repeat(length)
        assert.strictEqual(hex(encode(text)), hex(oracle(text)), `${length} ${unit}`)
      }
    }
  })

  it("the encoder writes values larger than its buffer, and small ones after them", () => {
    const bytes = new Uint8Array(3_000_000).fill(7)
    assert.strictEqual(encode([bytes, "end"]).length, 3_000_010)
    assert.strictEqual(hex(encode({ a: 1 })), "a1616101")
  })

  it("the encoder doesn't change bytes that it returned earlier", () => {
    const first = encode("first")
    encode("other")
    assert.strictEqual(hex(first), "656669727374")
  })

  for (const [what, value] of Object.entries({
    "a float": 1.5,
    "an integer beyond the safe ones": 2 ** 53,
    NaN: Number.NaN,
    "a lone surrogate": "a\ud800",
    "a key with a lone surrogate": { "\udc00": 1 },
    undefined: [undefined],
    "an undefined field": { a: undefined },
    "a bigint": 1n,
    "a function": () => 1,
    "33 levels": nested(33)
  })) {
    it(`the encoder rejects ${what}`, () => {
      assert.throws(() => encode(value as Data), InvalidCbor)
      assert.strictEqual(hex(encode({ a: 1 })), "a1616101")
    })
  }
})

describe("the DAG-CBOR decoder", () => {
  it("the decoder returns what was encoded, for any value", () => {
    Support.forSeeds(1000, (chance) => {
      const value = Support.someData(chance)
      assert.deepStrictEqual(decode(encode(value)), value)
    })
  })

  it("the decoder accepts only the canonical form: damaged bytes fail or encode back to themselves", () => {
    Support.forSeeds(4000, (chance) => {
      const bytes = Support.damaged(chance, encode(Support.someData(chance)))
      let value: Data
      try {
        value = decode(bytes)
      } catch (error) {
        assert.instanceOf(error, InvalidCbor)
        return
      }
      assert.strictEqual(hex(encode(value)), hex(bytes))
    })
  })

  it("the decoder agrees with cborg on everything it accepts", () => {
    const options = {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowBigInt: false
    }
    Support.forSeeds(3000, (chance) => {
      const bytes = Support.damaged(chance, encode(withoutLinks(Support.someData(chance))))
      // cborg drops a byte order mark.
      if (hex(bytes).includes("efbbbf")) return
      let value: Data
      try {
        value = decode(bytes)
      } catch {
        return
      }
      assert.deepStrictEqual(decodeCborg(bytes, options), value)
    })
  })

  it("the decoder accepts 32 levels", () => {
    assert.deepStrictEqual(decode(encode(nested(32))), nested(32))
  })

  it("the decoder keeps a byte order mark", () => {
    assert.strictEqual(decode(encode("\ufeffa")), "\ufeffa")
    assert.strictEqual(decode(encode(`\ufeff${"long".repeat(20)}`)), `\ufeff${"long".repeat(20)}`)
  })

  it("the decoder creates an own property for the key __proto__", () => {
    const value = decode(unhex("a1 69 5f5f70726f746f5f5f a1 6161 01")) as object
    assert.deepStrictEqual(Object.keys(value), ["__proto__"])
    assert.strictEqual(Object.getPrototypeOf(value), Object.prototype)
    assert.strictEqual(hex(encode(value as Data)), "a1695f5f70726f746f5f5fa1616101")
  })

  it("decodeFirst returns the bytes after the first value", () => {
    const [value, rest] = decodeFirst(unhex("a1616101 f6"))
    assert.deepStrictEqual(value, { a: 1 })
    assert.strictEqual(hex(rest), "f6")
  })

  for (const [what, bytes] of Object.entries({
    "no bytes": "",
    "bytes after the value": "f6f6",
    "an integer in more bytes than it needs": "1817",
    "a length in more bytes than it needs": "780161",
    "a float of 16 bits": "f93c00",
    "a float of 32 bits": "fa3f800000",
    "a float of 64 bits": "fb3ff8000000000000",
    "a float that is an integer": "fb3ff0000000000000",
    undefined: "f7",
    "an unknown simple value": "f0",
    "an indefinite array": "9fff",
    "an indefinite map": "bfff",
    "indefinite text": "7f6161ff",
    "indefinite bytes": "5f4101ff",
    "a lone break": "ff",
    "a repeated key": "a2 6161 01 6161 02",
    "keys out of order": "a2 6162 01 6161 02",
    "a longer key before a shorter one": "a2 626161 01 6162 02",
    "a key that is a number": "a1 01 01",
    "a key that is bytes": "a1 4161 01",
    "a map without its last value": "a1 6161",
    "an array without its last item": "82 01",
    "text that ends too soon": "6261",
    "text that is not UTF-8": "62c328",
    "text with an encoded surrogate": "63eda080",
    "long text that is not UTF-8": `7840${"61".repeat(63)}ff`,
    "an integer beyond the safe ones": "1b0020000000000000",
    "a negative integer beyond the safe ones": "3b001fffffffffffff",
    "another tag": "c1 01",
    "a link without its leading zero": `d82a5824${"01711220"}${"00".repeat(32)}`,
    "a link of another codec": `d82a582500${"01701220"}${"00".repeat(32)}`,
    "a link of another hash": `d82a582500${"01711320"}${"00".repeat(32)}`,
    "a link that is text": "d82a6100",
    "a link that is a tag of its own": "d82ad82a4100",
    "an array of 2^32 items that are not there": "9b0000000100000000",
    "33 levels": `${"81".repeat(32)}80`,
    "a million levels": "81".repeat(1_000_000)
  })) {
    it(`the decoder rejects ${what}`, () => assert.throws(() => decode(unhex(bytes)), InvalidCbor))
  }
})
