import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto"
import * as Redacted from "effect/Redacted"

type MasterKey = Redacted.Redacted<Uint8Array>

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
export const hkdf = remembering(
  (masterKey, purpose): Uint8Array<ArrayBuffer> =>
    new Uint8Array(
      hkdfSync("sha256", Redacted.value(masterKey), new Uint8Array(0), `nacre/${purpose}`, 32)
    )
)

/** The same secret as a key for `createHmac`. */
export const hkdfKey = remembering((masterKey, purpose): KeyObject =>
  createSecretKey(hkdf(masterKey, purpose))
)
