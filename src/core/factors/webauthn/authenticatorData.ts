import { sameBytes } from "../../bytes/bytes.ts"
import { sha256 } from "../../repo/cid.ts"
import { decodeMap, type CborMap } from "./cbor.ts"
import { WebAuthnFault } from "./fault.ts"

/** An authenticator's data about itself and about a new credential. */
export interface AuthenticatorData {
  readonly rpIdHash: Uint8Array
  readonly userPresent: boolean
  readonly userVerified: boolean
  /** Whether the credential may be copied to other devices; never changes. */
  readonly backupEligible: boolean
  readonly backedUp: boolean
  /** How often the credential was used; 0 if the authenticator doesn't count. */
  readonly counter: number
  readonly credential: { readonly id: Uint8Array; readonly key: CborMap } | undefined
}

const flag = { present: 0x01, verified: 0x04, eligible: 0x08, backedUp: 0x10 }
const attestedFlag = 0x40
const extensionsFlag = 0x80

const headLength = 37
const aaguidLength = 16

/** The longest credential id, in bytes. */
const maxIdLength = 1023

const readCredential = (bytes: Uint8Array) => {
  const start = aaguidLength + 2
  if (bytes.length < start) throw new WebAuthnFault("authenticator data cut short")
  const length = (bytes[aaguidLength]! << 8) | bytes[aaguidLength + 1]!
  if (length === 0 || length > maxIdLength) throw new WebAuthnFault("a credential id of bad length")
  if (bytes.length < start + length) throw new WebAuthnFault("authenticator data cut short")
  const id = bytes.slice(start, start + length)
  const [key, rest] = decodeMap(bytes.subarray(start + length))
  return { credential: { id, key }, rest }
}

/** Parses authenticator data completely; throws WebAuthnFault. Spec: WebAuthn Level 3, 6.1. */
export const readAuthenticatorData = (bytes: Uint8Array): AuthenticatorData => {
  if (bytes.length < headLength) throw new WebAuthnFault("authenticator data cut short")
  const flags = bytes[32]!
  const counter = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(33)
  let rest = bytes.subarray(headLength)
  let credential: AuthenticatorData["credential"]
  if ((flags & attestedFlag) !== 0) ({ credential, rest } = readCredential(rest))
  // No extension is requested, so all are ignored.
  if ((flags & extensionsFlag) !== 0) [, rest] = decodeMap(rest)
  if (rest.length > 0) throw new WebAuthnFault("bytes after the authenticator data")
  return {
    rpIdHash: bytes.slice(0, 32),
    userPresent: (flags & flag.present) !== 0,
    userVerified: (flags & flag.verified) !== 0,
    backupEligible: (flags & flag.eligible) !== 0,
    backedUp: (flags & flag.backedUp) !== 0,
    counter,
    credential
  }
}

/**
 * Checks that the authenticator responded to this site and verified its user; throws WebAuthnFault.
 */
export const checkAuthenticatorData = (data: AuthenticatorData, rpId: string): void => {
  if (!sameBytes(data.rpIdHash, sha256(rpId)))
    throw new WebAuthnFault("a credential of another site")
  if (!data.userPresent) throw new WebAuthnFault("the user was not present")
  if (!data.userVerified) throw new WebAuthnFault("the user was not verified")
  if (data.backedUp && !data.backupEligible) throw new WebAuthnFault("contradicting backup flags")
}
