import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { concatBytes } from "../../core/bytes/bytes.ts"
import { hkdf } from "./derivedSecrets.ts"

/**
 * A sealed secret: this version, a nonce of 12 bytes, then AES-256-GCM of the secret with its tag
 * of 16.
 */
const version = 1
const nonceLength = 12

const text = new TextEncoder()

/** Encrypts secrets for storage, bound to `owner`: copied to another owner they can't be opened. */
export interface Sealer {
  /** The same secret seals to different bytes each time. */
  seal(owner: string, secret: Uint8Array): Effect.Effect<Uint8Array<ArrayBuffer>>
  /** Dies if it can't be decrypted: another master key, another owner, or damage. */
  open(owner: string, sealed: Uint8Array): Effect.Effect<Uint8Array>
}

const algorithm = (iv: Uint8Array<ArrayBuffer>, owner: string) => ({
  name: "AES-GCM",
  iv,
  additionalData: concatBytes([new Uint8Array([version]), text.encode(owner)])
})

/** Seals secrets of one purpose with a key that HKDF derives from the master key. */
export const sealer = (masterKey: Redacted.Redacted<Uint8Array>, purpose: string): Sealer => {
  const key = (usage: "encrypt" | "decrypt") =>
    Effect.promise(() =>
      crypto.subtle.importKey("raw", hkdf(masterKey, purpose), "AES-GCM", false, [usage])
    )
  return {
    seal: Effect.fnUntraced(function* (owner, secret) {
      const iv = crypto.getRandomValues(new Uint8Array(nonceLength))
      const encryptKey = yield* key("encrypt")
      const sealed = yield* Effect.promise(() =>
        crypto.subtle.encrypt(algorithm(iv, owner), encryptKey, secret.slice())
      )
      return concatBytes([new Uint8Array([version]), iv, new Uint8Array(sealed)])
    }),
    open: Effect.fnUntraced(function* (owner, sealed) {
      if (sealed[0] !== version) {
        return yield* Effect.die(new TypeError(`${purpose}: not sealed by this version`))
      }
      const iv = sealed.slice(1, 1 + nonceLength)
      const decryptKey = yield* key("decrypt")
      const body = sealed.slice(1 + nonceLength)
      const opened = yield* Effect.promise(() =>
        crypto.subtle.decrypt(algorithm(iv, owner), decryptKey, body)
      )
      return new Uint8Array(opened)
    })
  }
}
