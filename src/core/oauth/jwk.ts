import { compactVerify } from "jose/jws/compact/verify"
import { calculateJwkThumbprint } from "jose/jwk/thumbprint"
import type { PublicJwk } from "./types.ts"

/** The algorithms that clients may sign with: asymmetric ones, as metadata lists them. */
export const signingAlgs: ReadonlyArray<string> = [
  "ES256",
  "ES384",
  "ES512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "EdDSA",
  "Ed25519"
]

/** What makes up a public key, by its type; other types of key cannot sign, or are secret. */
const required: ReadonlyMap<unknown, ReadonlyArray<string>> = new Map([
  ["EC", ["crv", "x", "y"]],
  ["RSA", ["n", "e"]],
  ["OKP", ["crv", "x"]]
])

/** Members that hold a secret (RFC 7518, sections 6.2.2, 6.3.2 and 6.4, and RFC 9964). */
const secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"]

/** Whether a key has a member that nobody but its owner should know. */
export const holdsSecret = (jwk: Readonly<Record<string, unknown>>): boolean =>
  secretMembers.some((name) => Object.hasOwn(jwk, name))

/** Whether a value is a public key that can verify; one with a private member in it is none. */
export const isPublicJwk = (value: unknown): value is PublicJwk => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  // SAFETY: an object that is no array; its members are looked at one by one.
  const jwk = value as Readonly<Record<string, unknown>>
  const members = required.get(jwk["kty"])
  return (
    members !== undefined &&
    members.every((name) => typeof jwk[name] === "string" && jwk[name] !== "") &&
    !holdsSecret(jwk) &&
    (jwk["kid"] === undefined || typeof jwk["kid"] === "string")
  )
}

/** The thumbprint of a key, SHA-256 in base64url: `jkt` (RFC 7638). */
export const thumbprint = (jwk: PublicJwk): Promise<string> => calculateJwkThumbprint(jwk, "sha256")

/** Whether this key made a compact JWS with this algorithm. */
export const isSignedByJwk = (jws: string, jwk: PublicJwk, alg: string): Promise<boolean> =>
  compactVerify(jws, jwk, { algorithms: [alg] }).then(
    () => true,
    // Whatever jose objects to, in the key or in the signature, comes to the same.
    () => false
  )
