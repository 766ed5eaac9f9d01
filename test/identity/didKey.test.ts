import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Crypto from "@atproto/crypto"
import { assert, describe, it } from "@effect/vitest"
import * as DidKey from "../../src/core/identity/didKey.ts"
import { vectorsOf } from "../support/vectors.ts"

const folder = await vectorsOf("crypto")

const vectors = <A>(name: string): ReadonlyArray<A> =>
  JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"))

interface SignatureVector {
  readonly comment: string
  readonly messageBase64: string
  readonly algorithm: "ES256" | "ES256K"
  readonly publicKeyDid: string
  readonly publicKeyMultibase: string
  readonly signatureBase64: string
  readonly validSignature: boolean
}

const curves = ["k256", "p256"] as const
const message = new TextEncoder().encode("a commit, say")

describe("the crypto vectors", () => {
  for (const vector of vectors<SignatureVector>("signature-fixtures")) {
    it(vector.comment, () => {
      const bytes = Buffer.from(vector.messageBase64, "base64")
      const signature = Buffer.from(vector.signatureBase64, "base64")
      assert.strictEqual(
        DidKey.verifyBytes(vector.publicKeyDid, bytes, signature),
        vector.validSignature
      )
      const curve = vector.algorithm === "ES256" ? "p256" : "k256"
      const legacy = DidKey.parseLegacyMultibase(curve, vector.publicKeyMultibase)
      assert.strictEqual(DidKey.formatDidKey(legacy), vector.publicKeyDid)
    })
  }

  it("private keys have the did:keys of the vectors", () => {
    for (const vector of vectors<{ privateKeyBytesHex: string; publicDidKey: string }>(
      "w3c_didkey_K256"
    )) {
      const secret = Buffer.from(vector.privateKeyBytesHex, "hex")
      const publicKey = DidKey.publicKeyOf("k256", new Uint8Array(secret))
      assert.strictEqual(DidKey.formatDidKey(publicKey), vector.publicDidKey)
      assert.deepStrictEqual(DidKey.parseDidKey(vector.publicDidKey), publicKey)
    }
  })
})

describe("signatures", () => {
  for (const curve of curves) {
    it(`signatures of ${curve} equal those of @atproto/crypto byte for byte`, async () => {
      for (let run = 0; run < 10; run += 1) {
        const secret = DidKey.generatePrivateKey(curve)
        const theirs =
          curve === "k256"
            ? await Crypto.Secp256k1Keypair.import(secret)
            : await Crypto.P256Keypair.import(secret)
        assert.strictEqual(DidKey.formatDidKey(DidKey.publicKeyOf(curve, secret)), theirs.did())
        const signature = DidKey.signBytes(curve, secret, message)
        assert.deepStrictEqual(new Uint8Array(await theirs.sign(message)), signature)
        assert.isTrue(DidKey.verifyBytes(theirs.did(), message, signature))
      }
    })

    it(`signatures of ${curve} are rejected for a different bit, key or length`, () => {
      const secret = DidKey.generatePrivateKey(curve)
      const key = DidKey.publicKeyOf(curve, secret)
      const signature = DidKey.signBytes(curve, secret, message)
      const other = DidKey.publicKeyOf(curve, DidKey.generatePrivateKey(curve))
      const bent = signature.slice()
      bent[40] = (bent[40] ?? 0) ^ 1
      assert.isFalse(DidKey.verifyBytes(key, message, bent))
      assert.isFalse(DidKey.verifyBytes(key, message.subarray(1), signature))
      assert.isFalse(DidKey.verifyBytes(other, message, signature))
      assert.isFalse(DidKey.verifyBytes(key, message, signature.subarray(1)))
      assert.isFalse(DidKey.verifyBytes(key, message, new Uint8Array(64)))
    })
  }

  it("signatures with high S are valid only if allowed", () => {
    const secret = DidKey.generatePrivateKey("k256")
    const key = DidKey.publicKeyOf("k256", secret)
    const signature = DidKey.signBytes("k256", secret, message)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString("hex")}`)
    const high = signature.slice()
    high.set(Buffer.from((order - s).toString(16).padStart(64, "0"), "hex"), 32)
    assert.isFalse(DidKey.verifyBytes(key, message, high))
    assert.isTrue(DidKey.verifyBytes(key, message, high, { allowHighS: true }))
  })
})

describe("key texts", () => {
  it("malformed keys, other curves and points off the curve are rejected", () => {
    const good = DidKey.formatMultikey(
      DidKey.publicKeyOf("k256", DidKey.generatePrivateKey("k256"))
    )
    assert.isTrue(DidKey.isDidKey(`did:key:${good}`))
    for (const bad of [
      "",
      "did:key:",
      good,
      `did:key:${good.slice(0, -1)}`,
      `did:key:${good}1`,
      `did:key:m${good.slice(1)}`,
      "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
      `did:key:z${"1".repeat(500)}`,
      "did:key:z0OIl"
    ]) {
      assert.isFalse(DidKey.isDidKey(bad), bad)
    }
  })
})
