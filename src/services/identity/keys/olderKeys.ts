import { createSecretKey, type KeyObject } from "node:crypto"
import * as Redacted from "effect/Redacted"
import { concatBytes } from "../../../core/bytes/bytes.ts"
import { masterFingerprint } from "../../../core/host/fingerprint.ts"
import { hkdf, type MasterKeys } from "../../host/derivedSecrets.ts"
import { sealer } from "../../host/sealedSecrets.ts"

/**
 * The purposes whose hashes and signatures outlive a master key: nobody can compute them again, so
 * an account keeps the derived keys, sealed.
 */
const keptPurposes = [
  "app passwords",
  "recovery codes",
  "session tokens",
  "refresh chain",
  "oauth access tokens",
  "oauth refresh tokens",
  "own tokens"
] as const

export type KeptPurpose = (typeof keptPurposes)[number]

const length = 32

/** The derived keys of a master key that accounts keep. */
export const keptKeysOf = (masterKey: MasterKeys["masterKey"]): Uint8Array<ArrayBuffer> =>
  concatBytes(keptPurposes.map((purpose) => hkdf(masterKey, purpose)))

/**
 * Keys whose session tokens another server signed with a secret of any length. All others are
 * random, so they verify nothing.
 */
export const foreignKeysOf = (secret: Uint8Array): Uint8Array<ArrayBuffer> =>
  concatBytes([crypto.getRandomValues(new Uint8Array(keptPurposes.length * length)), secret])

/** The key of one purpose among those. */
export const keptKey = (keys: Uint8Array, purpose: KeptPurpose): KeyObject => {
  const foreign = keys.slice(keptPurposes.length * length)
  if (purpose === "session tokens" && foreign.length > 0) return createSecretKey(foreign)
  const at = keptPurposes.indexOf(purpose) * length
  return createSecretKey(keys.slice(at, at + length))
}

/** What identifies a master key without revealing it. */
export const fingerprintOf = (masterKey: MasterKeys["masterKey"]): string =>
  masterFingerprint(Redacted.value(masterKey))

/** Seals the kept keys; each is bound to the fingerprint of its master key. */
export const olderKeysSealer = (keys: MasterKeys) => sealer(keys, "older keys")
