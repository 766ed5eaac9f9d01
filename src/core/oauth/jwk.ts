import { createPublicKey, type KeyObject, verify } from "node:crypto"
import * as Result from "effect/Result"
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
const sameKey = (jwk: PublicJwk): PublicJwk => keyOf(JSON.stringify(jwk))

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

/** A key with which jose has verified an ES256 signature, and its thumbprint. */
interface TriedKey {
  readonly key: KeyObject
  readonly jkt: string
}

const tried = new WeakMap<PublicJwk, TriedKey>()

/** Keeps a key that has signed with ES256 for `signerOf`. */
const keep = (jwk: PublicJwk, jkt: string): void => {
  const key = Result.try(() => createPublicKey({ key: { ...jwk }, format: "jwk" }))
  if (Result.isSuccess(key)) tried.set(jwk, { key: key.success, jkt })
}

/**
 * The thumbprint of the key in a compact JWS if it signed the JWS with this algorithm, or a function
 * that finds it.
 *
 * jose judges each key with its first signature. ES256 signatures by the same key are then verified
 * without leaving the turn, which costs half.
 */
export const signerOf = (
  jws: string,
  given: PublicJwk,
  alg: string
): string | undefined | (() => Promise<string | undefined>) => {
  const jwk = sameKey(given)
  const known = alg === "ES256" ? tried.get(jwk) : undefined
  if (known !== undefined) return isSignedWithEs256(jws, known.key) ? known.jkt : undefined
  return async () => {
    if (!(await isSignedByJwk(jws, jwk, alg))) return undefined
    const jkt = await thumbprint(jwk)
    if (alg === "ES256") keep(jwk, jkt)
    return jkt
  }
}

const isSignedWithEs256 = (jws: string, key: KeyObject): boolean => {
  const end = jws.lastIndexOf(".")
  const signature = Buffer.from(jws.slice(end + 1), "base64url")
  if (signature.length !== 64) return false
  // DER, since workerd takes no other encoding with a key that is imported already.
  return verify("sha256", Buffer.from(jws.slice(0, end)), key, derFromRaw(signature))
}

/** A signature in the form of a JWS (r, then s) as DER (RFC 3279, section 2.2.3). */
const derFromRaw = (raw: Uint8Array): Uint8Array => {
  const half = raw.length / 2
  const numbers = [...derInteger(raw.subarray(0, half)), ...derInteger(raw.subarray(half))]
  return Uint8Array.of(0x30, numbers.length, ...numbers)
}

/** A positive number without leading zeros. */
const derInteger = (bytes: Uint8Array): ReadonlyArray<number> => {
  const first = bytes.findIndex((byte) => byte !== 0)
  const digits = first === -1 ? [0] : [...bytes.subarray(first)]
  // A first bit that is set would make it negative.
  const padded = digits[0]! < 0x80 ? digits : [0, ...digits]
  return [0x02, padded.length, ...padded]
}
