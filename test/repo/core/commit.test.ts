import { Secp256k1Keypair } from "@atproto/crypto"
import { def } from "@atproto/repo"
import { assert, describe, it } from "@effect/vitest"
import { encode, type Data } from "../../../src/core/repo/cbor.ts"
import {
  decodeCommit,
  InvalidCommit,
  signedCommit,
  unsignedCommitBytes
} from "../../../src/core/repo/commit.ts"
import { cidForCbor, cidForRaw } from "../../../src/core/repo/cid.ts"
import * as Support from "./support.ts"

const did = "did:plc:abcdefghijklmnopqrstuvwx"
const data = Support.recordCid(1)
const rev = "3kabcdefghijk"
const sig = new Uint8Array(64).fill(9)
const whole: { [key: string]: Data } = { did, version: 3, data, rev, prev: null, sig }

const without = (name: string): Data => {
  const { [name]: _, ...rest } = whole
  return rest
}

describe("a commit", () => {
  it("decodeCommit returns what signedCommit wrote", () => {
    const { cid, bytes } = signedCommit({ did, data, rev, sig })
    assert.isTrue(cid.equals(cidForCbor(bytes)))
    assert.deepStrictEqual(decodeCommit(bytes), { did, version: 3, data, rev, prev: null, sig })
    assert.deepStrictEqual([...bytes], [...encode(whole)])
  })

  it("a commit's signature covers every field except sig", () => {
    const { sig: _, ...unsigned } = whole
    assert.deepStrictEqual([...unsignedCommitBytes({ did, data, rev })], [...encode(unsigned)])
    assert.deepStrictEqual(
      [...unsignedCommitBytes({ did, data, rev, prev: data })],
      [...encode({ ...unsigned, prev: data })]
    )
  })

  it("@atproto/repo verifies our commits", async () => {
    const { verifyCommitSig, cborToLexRecord } = await import("@atproto/repo")
    const key = await Secp256k1Keypair.create()
    const signature = await key.sign(unsignedCommitBytes({ did, data, rev }))
    const { bytes } = signedCommit({ did, data, rev, sig: signature })
    const commit = def.commit.schema.parse(cborToLexRecord(bytes))
    assert.isTrue(await verifyCommitSig(commit, key.did()))
    assert.isFalse(await verifyCommitSig({ ...commit, rev: "3kabcdefghijl" }, key.did()))
  })

  for (const [what, value] of Object.entries<Data>({
    "no map": [1],
    "version 2": { ...whole, version: 2 },
    "no did": without("did"),
    "a did that is none": { ...whole, did: "plc" },
    "no data": without("data"),
    "data that is no DAG-CBOR": { ...whole, data: cidForRaw(sig) },
    "no rev": without("rev"),
    "a rev that is no TID": { ...whole, rev: "1" },
    "no prev": without("prev"),
    "a prev that is text": { ...whole, prev: "a" },
    "no sig": without("sig"),
    "a sig that is text": { ...whole, sig: "a" },
    "another field": { ...whole, more: 1 }
  })) {
    it(`decodeCommit rejects ${what}`, () => {
      assert.throws(() => decodeCommit(encode(value)), InvalidCommit)
    })
  }

  it("decodeCommit rejects bytes that are not CBOR", () => {
    assert.throws(() => decodeCommit(new Uint8Array([0xff])), InvalidCommit)
  })
})
