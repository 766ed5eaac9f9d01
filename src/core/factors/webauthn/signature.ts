import { WebAuthnFault } from "./fault.ts"
import type { PasskeyJwk } from "./publicKey.ts"

const algorithms = {
  ES256: {
    imported: { name: "ECDSA", namedCurve: "P-256" },
    verified: { name: "ECDSA", hash: "SHA-256" }
  },
  EdDSA: { imported: { name: "Ed25519" }, verified: { name: "Ed25519" } },
  RS256: {
    imported: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    verified: { name: "RSASSA-PKCS1-v1_5" }
  }
} as const

/**
 * Imports a credential's key; throws WebAuthnFault for an invalid one, such as a point off its
 * curve.
 */
export const importPasskey = async (jwk: PasskeyJwk): Promise<CryptoKey> => {
  const { alg, ...key } = jwk
  try {
    return await crypto.subtle.importKey("jwk", key, algorithms[alg].imported, false, ["verify"])
  } catch {
    throw new WebAuthnFault("a public key that is none")
  }
}

const derInteger = (bytes: Uint8Array, at: number): { value: Uint8Array; end: number } => {
  const length = bytes[at + 1] ?? 0
  const end = at + 2 + length
  if (bytes[at] !== 0x02 || length === 0 || length > 33 || end > bytes.length) {
    throw new WebAuthnFault("a malformed signature")
  }
  const value = bytes.subarray(at + 2, end)
  const [first = 0, second = 0] = value
  const isNegative = first >= 0x80
  const isPadded = length > 1 && first === 0 && second < 0x80
  if (isNegative || isPadded) throw new WebAuthnFault("a malformed signature")
  return { value: first === 0 ? value.subarray(1) : value, end }
}

/**
 * Converts a canonical DER signature to WebCrypto's form (r, then s, 32 bytes each); throws
 * WebAuthnFault.
 */
export const rawFromDer = (der: Uint8Array): Uint8Array<ArrayBuffer> => {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) throw new WebAuthnFault("a malformed signature")
  const r = derInteger(der, 2)
  const s = derInteger(der, r.end)
  if (s.end !== der.length || r.value.length > 32 || s.value.length > 32) {
    throw new WebAuthnFault("a malformed signature")
  }
  const raw = new Uint8Array(64)
  raw.set(r.value, 32 - r.value.length)
  raw.set(s.value, 64 - s.value.length)
  return raw
}

/**
 * Whether the credential's key signed the bytes; throws WebAuthnFault for a malformed key or
 * signature.
 */
export const isSignedByPasskey = async (
  jwk: PasskeyJwk,
  signed: Uint8Array<ArrayBuffer>,
  signature: Uint8Array
): Promise<boolean> => {
  const raw = jwk.alg === "ES256" ? rawFromDer(signature) : signature.slice()
  const key = await importPasskey(jwk)
  return crypto.subtle.verify(algorithms[jwk.alg].verified, key, raw, signed)
}
