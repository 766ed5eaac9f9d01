import { multibaseToBytes, bytesToMultibase } from "@atproto/crypto"
import { assert, describe, it } from "@effect/vitest"
import { bases as all } from "multiformats/basics"
import { p256 as official } from "@noble/curves/p256"
import { bases } from "../../src/core/bytes/multibases.ts"
import { p256 } from "../../src/core/identity/p256Curve.ts"

const bytes = Uint8Array.from({ length: 35 }, (_, i) => (i * 37) & 0xff)

describe("the multibase encodings of keys", () => {
  it("each base equals the library's that it replaces in the bundle", () => {
    for (const [name, base] of Object.entries(bases)) {
      const official = all[name as keyof typeof bases]
      assert.strictEqual(base.encode(bytes), official.encode(bytes), name)
      assert.deepStrictEqual(base.decode(official.encode(bytes)), bytes, name)
    }
  })

  it("the bases are all those that @atproto/crypto supports", () => {
    for (const name of Object.keys(bases)) {
      const text = bytesToMultibase(bytes, name as "base16")
      assert.deepStrictEqual(multibaseToBytes(text), bytes, name)
    }
    for (const prefix of ["k", "9", "7", "0", "v"]) {
      assert.throws(() => multibaseToBytes(`${prefix}1234`), "Unsupported multibase")
    }
  })
})

describe("P-256", () => {
  it("the bundle's P-256 equals the library's that it replaces", () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
    const signature = p256.sign(bytes, key).toBytes("compact")
    assert.deepStrictEqual(signature, official.sign(bytes, key).toBytes("compact"))
    const point = official.getPublicKey(key)
    assert.deepStrictEqual(p256.getPublicKey(key), point)
    assert.isTrue(p256.verify(signature, bytes, point))
    assert.deepStrictEqual(p256.Point.BASE.toBytes(), official.Point.BASE.toBytes())
    assert.deepStrictEqual(p256.Point.CURVE(), official.Point.CURVE())
  })
})
