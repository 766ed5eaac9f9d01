import * as Crypto from "@atproto/crypto"
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { base58btc } from "multiformats/bases/base58"
import { vectorsOf } from "../support/vectors.ts"

const folder = await vectorsOf("crypto")

const read = <A>(name: string): Array<A> =>
  JSON.parse(readFileSync(join(folder, name), "utf8")) as Array<A>

interface Signature {
  readonly comment: string
  readonly messageBase64: string
  readonly publicKeyDid: string
  readonly publicKeyMultibase: string
  readonly signatureBase64: string
  readonly validSignature: boolean
}

interface KeyPair {
  readonly privateKeyBytesHex?: string
  readonly privateKeyBytesBase58?: string
  readonly publicDidKey: string
}

const fromBase64 = (text: string) => Uint8Array.from(Buffer.from(text, "base64"))

const privateKey = (pair: KeyPair): Uint8Array =>
  pair.privateKeyBytesHex === undefined
    ? base58btc.baseDecode(pair.privateKeyBytesBase58!)
    : Uint8Array.from(Buffer.from(pair.privateKeyBytesHex, "hex"))

describe("cryptography vectors", () => {
  for (const fixture of read<Signature>("signature-fixtures.json")) {
    it(`${fixture.comment}: is ${fixture.validSignature ? "accepted" : "rejected"}`, async () => {
      // The library throws for some malformed signatures; both are rejections.
      const accepted = await Crypto.verifySignature(
        fixture.publicKeyDid,
        fromBase64(fixture.messageBase64),
        fromBase64(fixture.signatureBase64)
      ).catch(() => false)
      assert.strictEqual(accepted, fixture.validSignature)
    })

    it(`${fixture.comment}: did:key and multibase name the same key`, () => {
      const { keyBytes } = Crypto.parseDidKey(fixture.publicKeyDid)
      const bytes = base58btc.decode(fixture.publicKeyMultibase)
      const uncompressed = Crypto.parseDidKey(
        Crypto.formatDidKey(Crypto.parseDidKey(fixture.publicKeyDid).jwtAlg, bytes)
      )
      assert.deepStrictEqual([...keyBytes], [...uncompressed.keyBytes])
    })
  }

  it("K-256 private keys have the did:keys of the vectors", async () => {
    const pairs = read<KeyPair>("w3c_didkey_K256.json")
    assert.isAbove(pairs.length, 0)
    for (const pair of pairs) {
      const key = await Crypto.Secp256k1Keypair.import(privateKey(pair))
      assert.strictEqual(key.did(), pair.publicDidKey)
    }
  })

  it("P-256 private keys have the did:keys of the vectors", async () => {
    const pairs = read<KeyPair>("w3c_didkey_P256.json")
    assert.isAbove(pairs.length, 0)
    for (const pair of pairs) {
      const key = await Crypto.P256Keypair.import(privateKey(pair))
      assert.strictEqual(key.did(), pair.publicDidKey)
    }
  })
})

const toNumber = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString("hex")}`)

describe("signatures", () => {
  const orders = {
    secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
    p256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  }

  for (const [curve, order] of Object.entries(orders)) {
    it(`signatures on ${curve} are low-S and verify; their high-S twins do not`, async () => {
      const key =
        curve === "p256"
          ? await Crypto.P256Keypair.create()
          : await Crypto.Secp256k1Keypair.create()
      for (let i = 0; i < 16; i++) {
        const message = new Uint8Array([i, 1, 2, 3])
        const signature = await key.sign(message)
        const s = toNumber(signature.subarray(32))
        assert.isTrue(s <= order / 2n)
        assert.isTrue(await Crypto.verifySignature(key.did(), message, signature))
        const twin = new Uint8Array(signature)
        twin.set(Buffer.from((order - s).toString(16).padStart(64, "0"), "hex"), 32)
        const accepted = await Crypto.verifySignature(key.did(), message, twin).catch(() => false)
        assert.isFalse(accepted)
      }
    })
  }
})
