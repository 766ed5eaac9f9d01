import { hkdfSync } from "node:crypto"
import { toBase64Url } from "../bytes/base64url.ts"

/** The 32-byte secret that a master key gives for a purpose: HKDF-SHA-256. */
export const derivedFrom = (masterKey: Uint8Array, purpose: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(hkdfSync("sha256", masterKey, new Uint8Array(0), `nacre/${purpose}`, 32))

/** What identifies a master key without revealing it. */
export const masterFingerprint = (masterKey: Uint8Array): string =>
  toBase64Url(derivedFrom(masterKey, "fingerprint"))
