import * as Crypto from "@atproto/crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Curve, generatePrivateKey, isDidKey } from "../../src/core/identity/didKey.ts"
import * as KeysMaster from "../../src/layers/identity/KeysMaster.ts"
import * as SignerKeys from "../../src/layers/identity/SignerKeys.ts"
import { Keys } from "../../src/services/identity/Keys.ts"
import { Signer } from "../../src/services/identity/Signer.ts"

const master = Redacted.make(new Uint8Array(32).fill(7))
const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
const message = new TextEncoder().encode("a commit, say")

/** A key that was created, wrapped, stored and unwrapped. */
const reopened = (curve: Curve): Layer.Layer<Signer> =>
  Layer.effect(
    Signer,
    Effect.gen(function* () {
      const keys = yield* Keys
      const wrapped = yield* keys.wrap(did, yield* keys.generate(curve))
      return yield* keys.signer(yield* keys.unwrap(did, wrapped))
    }).pipe(Effect.orDie)
  ).pipe(Layer.provide(KeysMaster.layer({ masterKey: master, masterKeyPrevious: undefined })))

const fixed = (curve: Curve) => SignerKeys.layer(curve, Redacted.make(generatePrivateKey(curve)))

/** What every signer guarantees. */
const signerContract = (name: string, curve: Curve, layer: Layer.Layer<Signer>) =>
  describe(`Signer (${name})`, () => {
    it.effect("sign returns 64 bytes with low S, which the did:key verifies", () =>
      Effect.gen(function* () {
        const signer = yield* Signer
        assert.strictEqual(signer.curve, curve)
        assert.isTrue(isDidKey(signer.didKey))
        // Half of all signatures have a high S by chance, so 40 of them show whether it is lowered.
        for (let run = 0; run < 40; run += 1) {
          const bytes = new Uint8Array([...message, run])
          const signature = yield* signer.sign(bytes)
          assert.strictEqual(signature.length, 64)
          const verified = yield* Effect.promise(() =>
            Crypto.verifySignature(signer.didKey, bytes, signature)
          )
          assert.isTrue(verified, `signature ${run}`)
        }
      }).pipe(Effect.provide(layer))
    )

    it.effect("sign covers exactly the given bytes", () =>
      Effect.gen(function* () {
        const signer = yield* Signer
        const signature = yield* signer.sign(message)
        const other = new TextEncoder().encode("another commit")
        const verified = yield* Effect.promise(() =>
          Crypto.verifySignature(signer.didKey, other, signature)
        )
        assert.isFalse(verified)
      }).pipe(Effect.provide(layer))
    )
  })

/** All signers and the keys behind them, on the current platform. */
export const signerContracts = () => {
  for (const curve of ["k256", "p256"] as const) {
    signerContract(`${curve}, fixed`, curve, fixed(curve))
    signerContract(`${curve}, wrapped and opened`, curve, reopened(curve))
  }

  describe("Keys (master key)", () => {
    const test = (name: string, body: (keys: Keys["Service"]) => Effect.Effect<void, unknown>) =>
      it.effect(name, () =>
        Effect.flatMap(Keys, body).pipe(
          Effect.provide(KeysMaster.layer({ masterKey: master, masterKeyPrevious: undefined }))
        )
      )

    test("unwrap returns the wrapped key", (keys) =>
      Effect.gen(function* () {
        for (const curve of ["k256", "p256"] as const) {
          const key = yield* keys.generate(curve)
          const opened = yield* keys.unwrap(did, yield* keys.wrap(did, key))
          assert.strictEqual(opened.curve, curve)
          assert.strictEqual(opened.didKey, key.didKey)
          assert.deepStrictEqual(Redacted.value(opened.secret), Redacted.value(key.secret))
        }
      }))

    test("wrapping reveals nothing of the key and differs each time", (keys) =>
      Effect.gen(function* () {
        const key = yield* keys.generate("k256")
        const [one, two] = [yield* keys.wrap(did, key), yield* keys.wrap(did, key)]
        const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
        assert.notStrictEqual(hex(one), hex(two))
        assert.isFalse(hex(one).includes(hex(Redacted.value(key.secret)).slice(0, 16)))
        assert.isFalse(JSON.stringify(key).includes(hex(Redacted.value(key.secret))))
      }))

    test("unwrap fails for another owner and after any change", (keys) =>
      Effect.gen(function* () {
        const wrapped = yield* keys.wrap(did, yield* keys.generate("k256"))
        const moved = yield* Effect.flip(keys.unwrap("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", wrapped))
        assert.strictEqual(moved._tag, "KeyUnreadable")
        for (let at = 0; at < wrapped.length; at += 1) {
          const bent = wrapped.slice()
          bent[at] = (bent[at] ?? 0) ^ 1
          assert.strictEqual((yield* Effect.flip(keys.unwrap(did, bent)))._tag, "KeyUnreadable")
        }
        for (const short of [new Uint8Array(), wrapped.slice(0, -1)]) {
          assert.strictEqual((yield* Effect.flip(keys.unwrap(did, short)))._tag, "KeyUnreadable")
        }
      }))

    test("unwrap fails under another master key", (keys) =>
      Effect.gen(function* () {
        const wrapped = yield* keys.wrap(did, yield* keys.generate("k256"))
        const other = KeysMaster.layer({
          masterKey: Redacted.make(new Uint8Array(32).fill(8)),
          masterKeyPrevious: undefined
        })
        const error = yield* Effect.flatMap(Keys, (others) => others.unwrap(did, wrapped)).pipe(
          Effect.provide(other),
          Effect.flip
        )
        assert.strictEqual(error._tag, "KeyUnreadable")
      }))

    it.effect("a master key of another length is rejected", () =>
      Effect.gen(function* () {
        const short = KeysMaster.layer({
          masterKey: Redacted.make(new Uint8Array(16)),
          masterKeyPrevious: undefined
        })
        const exit = yield* Effect.exit(Keys.pipe(Effect.provide(short)))
        assert.strictEqual(exit._tag, "Failure")
      })
    )
  })
}
