import { createDecipheriv } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { concatBytes } from "../../core/bytes/bytes.ts"
import { hkdf, type MasterKeys, masterKeysOf } from "./derivedSecrets.ts"

/**
 * A sealed secret: this version, a nonce of 12 bytes, then AES-256-GCM of the secret with its tag
 * of 16.
 */
const version = 1
const nonceLength = 12
const tagLength = 16

const text = new TextEncoder()

/** Encrypts secrets for storage, bound to `owner`: copied to another owner they can't be opened. */
export interface Sealer {
  /** The same secret seals to different bytes each time. */
  seal(owner: string, secret: Uint8Array): Effect.Effect<Uint8Array<ArrayBuffer>>
  /** Dies if it can't be decrypted: another master key, another owner, or damage. */
  open(owner: string, sealed: Uint8Array): Effect.Effect<Uint8Array>
  /** The secret, or undefined if it can't be decrypted; synchronous. */
  tryOpen(owner: string, sealed: Uint8Array): Uint8Array | undefined
  /** Whether the current master key opens it. */
  isCurrent(owner: string, sealed: Uint8Array): boolean
}

/** The header and the owner, authenticated but not encrypted. */
const additionalData = (header: Uint8Array, owner: string): Uint8Array<ArrayBuffer> =>
  concatBytes([header, text.encode(owner)])

/** Seals a secret under a key: the header, a nonce, then AES-256-GCM of the secret with its tag. */
export const sealUnder = Effect.fnUntraced(function* (
  key: Uint8Array<ArrayBuffer>,
  owner: string,
  secret: Uint8Array,
  header: Uint8Array
) {
  const iv = crypto.getRandomValues(new Uint8Array(nonceLength))
  const algorithm = { name: "AES-GCM", iv, additionalData: additionalData(header, owner) }
  const imported = yield* Effect.promise(() =>
    crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"])
  )
  const sealed = yield* Effect.promise(() =>
    crypto.subtle.encrypt(algorithm, imported, secret.slice())
  )
  return concatBytes([header, iv, new Uint8Array(sealed)])
})

/** Opens what `sealUnder` made; undefined if it isn't under this key. */
export const openUnder = (
  key: Uint8Array,
  owner: string,
  sealed: Uint8Array,
  headerLength: number
): Uint8Array<ArrayBuffer> | undefined => {
  const from = headerLength + nonceLength
  const to = sealed.length - tagLength
  if (to < from) return undefined
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(headerLength, from))
  decipher.setAAD(additionalData(sealed.subarray(0, headerLength), owner))
  decipher.setAuthTag(sealed.subarray(to))
  const start = decipher.update(sealed.subarray(from, to))
  return Result.getOrUndefined(Result.try(() => concatBytes([start, decipher.final()])))
}

const openedWith = (key: Uint8Array, owner: string, sealed: Uint8Array): Uint8Array | undefined =>
  sealed[0] === version ? openUnder(key, owner, sealed, 1) : undefined

/**
 * Seals secrets of one purpose with a key that HKDF derives from the master key; opens those under
 * the previous master key too.
 */
export const sealer = (keys: MasterKeys, purpose: string): Sealer => {
  const tryOpen: Sealer["tryOpen"] = (owner, sealed) => {
    for (const masterKey of masterKeysOf(keys)) {
      const opened = openedWith(hkdf(masterKey, purpose), owner, sealed)
      if (opened !== undefined) return opened
    }
    return undefined
  }
  return {
    seal: (owner, secret) =>
      sealUnder(hkdf(keys.masterKey, purpose), owner, secret, new Uint8Array([version])),
    open: (owner, sealed) =>
      Effect.suspend(() => {
        const opened = tryOpen(owner, sealed)
        return opened === undefined
          ? Effect.die(new TypeError(`${purpose}: can't be opened with this server's master key`))
          : Effect.succeed(opened)
      }),
    tryOpen,
    isCurrent: (owner, sealed) =>
      openedWith(hkdf(keys.masterKey, purpose), owner, sealed) !== undefined
  }
}
