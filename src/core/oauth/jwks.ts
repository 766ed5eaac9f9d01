import * as Result from "effect/Result"
import { holdsSecret, isPublicJwk } from "./jwk.ts"
import type { PublicJwk } from "./types.ts"

const maxKeys = 64
const maxKid = 256

const curves: ReadonlySet<unknown> = new Set(["P-256", "P-384", "P-521", "Ed25519"])

/** The members of a public key in use. */
const kept = ["kty", "kid", "alg", "crv", "x", "y", "n", "e"]

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A signing key that an assertion can name. */
const isUsable = (jwk: Readonly<Record<string, unknown>>): jwk is PublicJwk => {
  const { alg, crv, key_ops: operations, kid, kty, use } = jwk
  return (
    isPublicJwk(jwk) &&
    typeof kid === "string" &&
    kid !== "" &&
    kid.length <= maxKid &&
    (kty === "RSA" || curves.has(crv)) &&
    (alg === undefined || typeof alg === "string") &&
    (use === undefined || use === "sig") &&
    (operations === undefined || (Array.isArray(operations) && operations.includes("verify")))
  )
}

const keep = (jwk: PublicJwk): PublicJwk => ({
  ...Object.fromEntries(Object.entries(jwk).filter(([name]) => kept.includes(name))),
  kty: jwk.kty
})

/**
 * Parses a client's key set: its signing keys, each with a `kid`.
 *
 * Ignores keys of other kinds (RFC 7517, section 5), but rejects a set that contains a secret. Fails
 * with the reason.
 */
export const checkJwks = (json: unknown): Result.Result<ReadonlyArray<PublicJwk>, string> => {
  const list = isObject(json) ? json["keys"] : undefined
  if (!Array.isArray(list)) return Result.fail("the key set has no list of keys")
  if (list.length > maxKeys) return Result.fail("the key set has too many keys")
  const jwks = list.filter(isObject)
  if (jwks.some(holdsSecret)) return Result.fail("the key set holds a private or symmetric key")
  return Result.succeed(jwks.filter(isUsable).map(keep))
}
