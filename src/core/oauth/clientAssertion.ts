import * as Result from "effect/Result"
import { parseJwt } from "../sessions/jwt.ts"
import { isSignedByJwk, signingAlgs, thumbprint } from "./jwk.ts"
import type { PublicJwk } from "./types.ts"

/** Maximum age of an assertion and difference between clocks, in seconds. */
const maxAge = 60
const skew = 15

const maxJtiLength = 256

/** What an assertion must be valid for. */
export interface AssertionDemands {
  readonly clientId: string
  /** This server's issuer, as in its metadata. */
  readonly issuer: string
  /** The client's known keys. */
  readonly keys: ReadonlyArray<PublicJwk>
  /** The algorithm that the client's metadata declares. */
  readonly alg?: string
  /** Milliseconds. */
  readonly now: number
  /** Thumbprint of the accompanying DPoP proof's key. */
  readonly dpopJkt?: string
}

/** A valid assertion: the caller must ensure single use, by client and `jti`, until `expires`. */
export interface Assertion {
  readonly kid: string
  readonly alg: string
  /** Thumbprint of the client's key. */
  readonly jkt: string
  readonly jti: string
  /** When it expires, in milliseconds. */
  readonly expires: number
}

/** Why an assertion is rejected; the client may see the reason. */
export interface AssertionFault {
  readonly reason: string
  /** No known key has this `kid`; the client may have just added it. */
  readonly unknownKey?: true
}

type Claims = Readonly<Record<string, unknown>>

const refuse = (reason: string): Result.Result<never, AssertionFault> => Result.fail({ reason })

const isTime = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value)

/** The fault of its times, if any. */
const timeFault = ({ iat, exp, nbf }: Claims, now: number): string | undefined => {
  if (!isTime(iat)) return "iat is missing"
  if (iat - now > skew) return "iat is in the future"
  if (now - iat > maxAge + skew) return "iat is too old"
  if (exp !== undefined && !(isTime(exp) && exp > now)) return "exp is over"
  return nbf === undefined || (isTime(nbf) && nbf - now <= skew) ? undefined : "nbf is to come"
}

/** The fault of the key that the assertion is bound to, if any (atproto proposal 0010). */
const bindingFault = ({ cnf }: Claims, dpopJkt: string | undefined): string | undefined => {
  if (cnf === undefined) return undefined
  // SAFETY: read like any object, and compared with a text.
  const jkt = typeof cnf === "object" && cnf !== null ? (cnf as { jkt?: unknown }).jkt : undefined
  return typeof jkt === "string" && jkt === dpopJkt
    ? undefined
    : "cnf.jkt is not the key of the DPoP proof"
}

const claimFault = (claims: Claims, demands: AssertionDemands): string | undefined => {
  const { iss, sub, aud, jti } = claims
  if (iss !== demands.clientId) return "iss is not the client"
  if (sub !== demands.clientId) return "sub is not the client"
  const audiences: ReadonlyArray<unknown> = Array.isArray(aud) ? aud : [aud]
  // Some clients write the origin as a URL with a trailing slash.
  if (!audiences.includes(demands.issuer) && !audiences.includes(`${demands.issuer}/`)) {
    return "aud is not this server"
  }
  if (typeof jti !== "string" || jti === "" || jti.length > maxJtiLength) return "jti is missing"
  return timeFault(claims, demands.now / 1000) ?? bindingFault(claims, demands.dpopJkt)
}

/**
 * Checks a client assertion (`private_key_jwt`): recent, from this client and for this server.
 *
 * `exp` is optional: `iat` is required and limits the assertion to about a minute.
 *
 * Spec: RFC 7523, section 3; atproto OAuth profile.
 */
export const checkAssertion = async (
  assertion: string,
  demands: AssertionDemands
): Promise<Result.Result<Assertion, AssertionFault>> => {
  const jwt = parseJwt(assertion)
  if (jwt === undefined) return refuse("not a JWT of bounded size")
  const { alg, kid, crit } = jwt.header
  if (typeof alg !== "string" || !signingAlgs.includes(alg)) return refuse("alg is not supported")
  if (demands.alg !== undefined && alg !== demands.alg) return refuse("alg is not the declared one")
  if (crit !== undefined) return refuse("crit is not supported")
  if (typeof kid !== "string" || kid === "") return refuse("kid is missing")
  const reason = claimFault(jwt.claims, demands)
  if (reason !== undefined) return refuse(reason)
  const key = demands.keys.find((one) => one.kid === kid)
  if (key === undefined) {
    return Result.fail({ reason: "kid is none of the client's keys", unknownKey: true })
  }
  if (!(await isSignedByJwk(assertion, key, alg))) return refuse("the signature does not verify")
  const { iat, exp, jti } = jwt.claims
  // SAFETY: `claimFault` checked that iat is a number, exp a number or missing, and jti a text.
  const last = Math.min((iat as number) + maxAge + skew, (exp as number | undefined) ?? Infinity)
  return Result.succeed({
    kid,
    alg,
    jkt: await thumbprint(key),
    jti: jti as string,
    expires: Math.ceil(last * 1000)
  })
}
