import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import {
  type Curve,
  formatDidKey,
  generatePrivateKey,
  publicKeyOf
} from "../../core/identity/didKey.ts"
import { concatBytes } from "../../core/bytes/bytes.ts"
import { hkdf } from "../../services/host/derivedSecrets.ts"
import { Keys, KeyUnreadable, type PrivateKey } from "../../services/identity/Keys.ts"
import * as SignerKeys from "./SignerKeys.ts"

/**
 * A wrapped key: this version, the curve, a nonce of 12 bytes, then AES-256-GCM of the 32 bytes
 * with its tag of 16.
 */
const version = 1
const headerLength = 2
const nonceLength = 12
const wrappedLength = headerLength + nonceLength + 32 + 16

const curves = ["k256", "p256"] as const

const text = new TextEncoder()

/** The header and the owner, authenticated but not encrypted. */
const additionalData = (header: Uint8Array, owner: string): Uint8Array<ArrayBuffer> =>
  concatBytes([header, text.encode(owner)])

// The public key is derived on demand, so an object that wakes to sign doesn't pay for it.
const privateKey = (curve: Curve, secret: Uint8Array): PrivateKey => ({
  curve,
  get didKey() {
    return formatDidKey(publicKeyOf(curve, secret))
  },
  secret: Redacted.make(secret, { label: "private key" })
})

const make = (master: Redacted.Redacted<Uint8Array>): Keys["Service"] => {
  const wrappingKey = (usage: "encrypt" | "decrypt") =>
    crypto.subtle.importKey("raw", hkdf(master, "account-key/1"), "AES-GCM", false, [usage])

  return Keys.of({
    generate: (curve) => Effect.sync(() => privateKey(curve, generatePrivateKey(curve))),
    wrap: Effect.fn("Keys.wrap")((owner, { curve, secret }) =>
      Effect.promise(async () => {
        const wrapped = new Uint8Array(wrappedLength)
        wrapped.set([version, curves.indexOf(curve)])
        const iv = crypto.getRandomValues(new Uint8Array(nonceLength))
        wrapped.set(iv, headerLength)
        const sealed = await crypto.subtle.encrypt(
          {
            name: "AES-GCM",
            iv,
            additionalData: additionalData(wrapped.subarray(0, headerLength), owner)
          },
          await wrappingKey("encrypt"),
          new Uint8Array(Redacted.value(secret))
        )
        wrapped.set(new Uint8Array(sealed), headerLength + nonceLength)
        return wrapped
      })
    ),
    unwrap: Effect.fn("Keys.unwrap")((owner, wrapped) =>
      Effect.tryPromise({
        try: async () => {
          const curve = curves[wrapped[1] ?? -1]
          if (wrapped.length !== wrappedLength || wrapped[0] !== version || curve === undefined) {
            throw new TypeError("not a wrapped key")
          }
          const opened = await crypto.subtle.decrypt(
            {
              name: "AES-GCM",
              iv: wrapped.slice(headerLength, headerLength + nonceLength),
              additionalData: additionalData(wrapped.subarray(0, headerLength), owner)
            },
            await wrappingKey("decrypt"),
            wrapped.slice(headerLength + nonceLength)
          )
          return privateKey(curve, new Uint8Array(opened))
        },
        catch: () => new KeyUnreadable({ owner })
      })
    ),
    signer: ({ curve, secret }) => SignerKeys.fromPrivateKey(curve, secret)
  })
}

/** Wraps keys with a master key of 32 bytes: AES-256-GCM with a key derived by HKDF-SHA-256. */
export const layer = (master: Redacted.Redacted<Uint8Array>): Layer.Layer<Keys> =>
  Layer.sync(Keys, () => {
    if (Redacted.value(master).length !== 32) throw new TypeError("the master key is not 32 bytes")
    return make(master)
  })
