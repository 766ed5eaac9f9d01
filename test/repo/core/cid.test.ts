import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { CID } from "multiformats/cid"
import {
  Cid,
  cidForCbor,
  cidForRaw,
  cidFromDigest,
  InvalidCid,
  parseCid
} from "../../../src/core/repo/cid.ts"

const text = "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"

describe("a CID", () => {
  it("a CID has the same text and bytes as in multiformats", () => {
    const cid = parseCid(text)
    assert.strictEqual(Cid.fromBytes(cid.bytes).toString(), text)
    assert.deepStrictEqual([...cid.bytes], [...CID.parse(text).bytes])
    assert.strictEqual(cid.codec, 0x71)
  })

  it("a CID names a block by its SHA-256", () => {
    const block = new Uint8Array([1, 2, 3])
    const digest = createHash("sha256").update(block).digest()
    assert.deepStrictEqual([...cidForRaw(block).digest], [...digest])
    assert.strictEqual(cidForRaw(block).codec, 0x55)
    assert.isTrue(cidFromDigest(0x71, digest).equals(cidForCbor(block)))
  })

  it("a CID equals another with the same bytes, and differs by codec alone", () => {
    const block = new Uint8Array([1, 2, 3])
    assert.isTrue(cidForRaw(block).equals(cidForRaw(block.slice())))
    assert.isFalse(cidForRaw(block).equals(cidForCbor(block)))
    assert.strictEqual(cidForRaw(block).key, cidForRaw(block.slice()).key)
    assert.notStrictEqual(cidForRaw(block).key, cidForCbor(block).key)
  })

  for (const [what, wrong] of Object.entries({
    nothing: "",
    "upper case": text.toUpperCase(),
    "another base": `z${text.slice(1)}`,
    "version 0": "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
    "another codec": CID.createV1(0x70, CID.parse(text).multihash).toString(),
    "one character too few": text.slice(0, -1),
    "one character too many": `${text}a`,
    "bits beyond the last byte": `${text.slice(0, -1)}r`,
    "white space": ` ${text}`
  })) {
    it(`parseCid rejects ${what}`, () => assert.throws(() => parseCid(wrong), InvalidCid))
  }

  it("Cid.fromBytes rejects another length, hash or version", () => {
    const { bytes } = parseCid(text)
    assert.throws(() => Cid.fromBytes(bytes.subarray(1)), InvalidCid)
    assert.throws(() => Cid.fromBytes(new Uint8Array([...bytes, 0])), InvalidCid)
    for (const at of [0, 1, 2, 3]) {
      const wrong = bytes.slice()
      wrong[at]! ^= 0x08
      assert.throws(() => Cid.fromBytes(wrong), InvalidCid)
    }
    assert.throws(() => cidFromDigest(0x71, new Uint8Array(31)), InvalidCid)
  })
})
