import { createSecretKey, type KeyObject } from "node:crypto"
import * as Redacted from "effect/Redacted"
import { derivedFrom } from "../../core/host/fingerprint.ts"

type MasterKey = Redacted.Redacted<Uint8Array>

/** The master key, and the one before it while stored data is still under that one. */
export interface MasterKeys {
  readonly masterKey: MasterKey
  readonly masterKeyPrevious: MasterKey | undefined
}

/** The master keys that secrets may be under, the current one first. */
export const masterKeysOf = ({
  masterKey,
  masterKeyPrevious
}: MasterKeys): ReadonlyArray<MasterKey> =>
  masterKeyPrevious === undefined ? [masterKey] : [masterKey, masterKeyPrevious]

/**
 * Caches a function of the master key and a purpose, since an isolate's objects share its settings.
 */
const remembering = <A>(derive: (masterKey: MasterKey, purpose: string) => A) => {
  const known = new WeakMap<MasterKey, Map<string, A>>()
  return (masterKey: MasterKey, purpose: string): A => {
    const secrets = known.get(masterKey) ?? new Map<string, A>()
    known.set(masterKey, secrets)
    let secret = secrets.get(purpose)
    if (secret === undefined) secrets.set(purpose, (secret = derive(masterKey, purpose)))
    return secret
  }
}

/**
 * The 32-byte secret that the master key gives for a purpose (HKDF-SHA-256); callers must not
 * modify it.
 *
 * The master key is uniform, so a salt would add nothing; the purpose separates the secrets.
 */
export const hkdf = remembering((masterKey, purpose): Uint8Array<ArrayBuffer> =>
  derivedFrom(Redacted.value(masterKey), purpose)
)

/** The same secret as a key for `createHmac`. */
export const hkdfKey = remembering((masterKey, purpose): KeyObject =>
  createSecretKey(hkdf(masterKey, purpose))
)

/** The keys of a purpose under each master key, the current one first. */
export const hkdfKeys = (keys: MasterKeys, purpose: string): ReadonlyArray<KeyObject> =>
  masterKeysOf(keys).map((key) => hkdfKey(key, purpose))
