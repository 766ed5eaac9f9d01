import { createHash, randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Crypto from "@atproto/crypto"
import { assert, describe, it } from "@effect/vitest"
import { secp256k1 } from "@noble/curves/secp256k1"
import { base58btc } from "multiformats/bases/base58"
import * as DidKey from "../../src/core/identity/didKey.ts"
import { inverse } from "../../src/core/identity/inverse.ts"
import * as Field from "../../src/core/identity/k256Field.ts"
import { makeTable, signK256, xOfMultiple } from "../../src/core/identity/k256Sign.ts"
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

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"))
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

describe("signing with the table", () => {
  const n = secp256k1.Point.Fn.ORDER
  const p = secp256k1.Point.Fp.ORDER

  it("signK256 makes the published signatures of RFC 6979 over K-256", () => {
    const one = hex("01".padStart(64, "0"))
    const digestOf = (text: string) => new Uint8Array(createHash("sha256").update(text).digest())
    assert.strictEqual(
      toHex(signK256(digestOf("Satoshi Nakamoto"), one)),
      "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8" +
        "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
    )
    assert.strictEqual(
      toHex(
        signK256(
          digestOf("All those moments will be lost in time, like tears in rain. Time to die..."),
          one
        )
      ),
      "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b" +
        "547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21"
    )
  })

  it("signK256 signs as @noble/curves does, whatever the key and the digest", () => {
    const number = (value: bigint) => hex(value.toString(16).padStart(64, "0"))
    const keys = [number(1n), number(2n), number(n - 1n), number(n >> 1n)]
    const digests = [number(0n), number(1n), number(n), number(2n ** 256n - 1n)]
    for (let run = 0; run < 200; run++) {
      keys.push(DidKey.generatePrivateKey("k256"))
      digests.push(randomBytes(32))
    }
    for (const [at, key] of keys.entries()) {
      for (const digest of at < 4 ? digests.slice(0, 20) : [digests[at]!]) {
        const theirs = secp256k1.sign(digest, key, { lowS: true, prehash: false })
        assert.strictEqual(toHex(signK256(digest, key)), theirs.toHex("compact"))
      }
    }
    assert.throws(() => signK256(digests[0]!, number(0n)))
    assert.throws(() => signK256(digests[0]!, number(n)))
  })

  it("a multiplication that goes wrong anywhere gives no x", () => {
    const k = (BigInt(`0x${toHex(randomBytes(32))}`) % (n - 1n)) | 1n
    const table = makeTable()
    assert.strictEqual(xOfMultiple(table, k), secp256k1.Point.BASE.multiply(k).x)
    const bits = (k >> 1n) | (1n << 255n)
    for (const window of [0, 7, 31]) {
      const digit = Number((bits >> BigInt(8 * window)) & 0xffn)
      const used = (window * 128 + (digit >= 128 ? digit - 128 : 127 - digit)) * 22
      for (const limb of [0, 10, 11, 21]) {
        const faulty = table.slice()
        faulty[used + limb] = faulty[used + limb]! ^ 1
        assert.isUndefined(xOfMultiple(faulty, k))
      }
    }
  })

  it("the field multiplies exactly up to the largest limbs that it accepts", () => {
    const most = 3 * (2 ** 23 + 8)
    const wrong = [Field.zero(), Field.zero()] as const
    for (let run = 0; run < 300; run++) {
      const sign = () => (run === 0 || randomBytes(1)[0]! < 128 ? 1 : -1)
      for (const one of wrong)
        one.forEach((_, at) => (one[at] = sign() * (at < 10 ? most - (run % 7) : 2 ** 20 - 4)))
      const [a, b] = run % 2 === 0 ? [wrong[0], wrong[0]] : wrong
      const product = Field.fromLimbs(a) * Field.fromLimbs(b)
      const out = Field.zero()
      Field.multiply(out, a, b)
      assert.strictEqual((Field.fromLimbs(out) - product) % p, 0n)
      assert.isAtMost(Math.max(...out.map(Math.abs)), 2 ** 23 + 8)
    }
  })

  it("every inverse modulo both primes of K-256 is that of @noble/curves", () => {
    const { Fn, Fp } = secp256k1.Point
    const numbers = [2n ** 255n, n - 1n, n - 2n, n >> 1n, (n >> 1n) + 1n]
    for (let bit = 0n; bit < 255n; bit++)
      numbers.push(2n ** bit, n - 2n ** bit, 2n ** bit * 2n - 1n)
    for (let run = 0; run < 2000; run++)
      numbers.push(BigInt(`0x${toHex(randomBytes(32))}`) % n || 1n)
    for (const number of numbers) {
      assert.strictEqual(inverse(number, n), Fn.inv(number))
      assert.strictEqual(inverse(number, p), Fp.inv(number))
    }
  })

  it("limbs hold every number below the prime", () => {
    for (const number of [0n, 1n, p - 1n, p >> 1n, 2n ** 24n - 1n, 2n ** 255n]) {
      const out = Field.zero()
      Field.toLimbs(number, out)
      assert.strictEqual(Field.fromLimbs(out), number)
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
  for (const curve of curves) {
    it(`a ${curve} key with a foreign character is rejected instead of read with a zero there`, () => {
      // A zero is written as 1: a few keys contain it.
      const texts = Array.from({ length: 200 }, (_, at) => {
        const secret = createHash("sha256").update(`${curve} ${at}`).digest()
        return DidKey.formatMultikey(DidKey.publicKeyOf(curve, new Uint8Array(secret)))
      }).filter((text) => text.includes("1"))
      assert.isNotEmpty(texts)
      for (const text of texts) {
        const legacy = `z${base58btc.baseEncode(DidKey.parseMultikey(text).bytes)}`
        for (const foreign of ["\u0100", "\u0131", "\uff11", "\u{1f511}", "\u00b9", "0", " "]) {
          const forged = text.replace("1", foreign)
          assert.isFalse(DidKey.isDidKey(`did:key:${forged}`), forged)
          assert.throws(() => DidKey.parseMultikey(forged), "not a K-256 or P-256 key")
          if (!legacy.includes("1")) continue
          const older = legacy.replace("1", foreign)
          assert.throws(() => DidKey.parseLegacyMultibase(curve, older), "not a base58btc")
        }
      }
    })
  }

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
