import { compactVerify } from "jose/jws/compact/verify"
import { calculateJwkThumbprint } from "jose/jwk/thumbprint"
import { remembering } from "../sessions/jwt.ts"
import type { PublicJwk } from "./types.ts"

/** The asymmetric algorithms that clients may sign with, as listed in metadata. */
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

/** The members of a public key by its type; other types cannot sign or are secret. */
const required: ReadonlyMap<unknown, ReadonlyArray<string>> = new Map([
  ["EC", ["crv", "x", "y"]],
  ["RSA", ["n", "e"]],
  ["OKP", ["crv", "x"]]
])

/** Members that contain a secret (RFC 7518, sections 6.2.2, 6.3.2 and 6.4, and RFC 9964). */
const secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"]

/** Whether a key has a secret member. */
export const holdsSecret = (jwk: Readonly<Record<string, unknown>>): boolean =>
  secretMembers.some((name) => Object.hasOwn(jwk, name))

/** Whether a value is a public key that can verify; false if it has a private member. */
export const isPublicJwk = (value: unknown): value is PublicJwk => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  // SAFETY: an object that isn't an array; each member is checked.
  const jwk = value as Readonly<Record<string, unknown>>
  const members = required.get(jwk["kty"])
  return (
    members !== undefined &&
    members.every((name) => typeof jwk[name] === "string" && jwk[name] !== "") &&
    !holdsSecret(jwk) &&
    (jwk["kid"] === undefined || typeof jwk["kid"] === "string")
  )
}

// SAFETY: the text is a PublicJwk's.
const keyOf = remembering((text) => JSON.parse(text) as PublicJwk)

const prints = new WeakMap<PublicJwk, string>()

/**
 * The same object for an equal key: jose imports a key once for each object, which costs as much as
 * a verification, and a client uses its key for all requests.
 */
export const sameKey = (jwk: PublicJwk): PublicJwk => keyOf(JSON.stringify(jwk))

/** A key's thumbprint, SHA-256 in base64url: `jkt` (RFC 7638). */
export const thumbprint = async (jwk: PublicJwk): Promise<string> => {
  const known = prints.get(jwk)
  if (known !== undefined) return known
  const made = await calculateJwkThumbprint(jwk, "sha256")
  prints.set(jwk, made)
  return made
}

/** Whether this key signed a compact JWS with this algorithm. */
export const isSignedByJwk = (jws: string, jwk: PublicJwk, alg: string): Promise<boolean> =>
  compactVerify(jws, jwk, { algorithms: [alg] }).then(
    () => true,
    // Any error of jose, about the key or the signature, means no.
    () => false
  )
