import type { KeyObject } from "node:crypto"
import * as Result from "effect/Result"
import { type Jwt, signJwt } from "../sessions/jwt.ts"

/** An access token's issuer, audience and subject. */
export interface AccessParties {
  /** The authorization server: this server's origin. */
  readonly issuer: string
  /** The resource server: this server's DID. */
  readonly audience: string
  /** The account's DID. */
  readonly did: string
}

/** The session data in an access token. */
export interface AccessGrant {
  /** The session's id. */
  readonly session: string
  readonly clientId: string
  /** Thumbprint of the DPoP key that the token is bound to. */
  readonly jkt: string
}

/** The times of an access token, in seconds. */
export interface AccessTimes {
  readonly issued: number
  readonly expires: number
}

/**
 * Creates an access token, bound to a DPoP key (RFC 9068, RFC 9449).
 *
 * The token has no permissions: they belong to the session and are looked up on each use.
 */
export const accessToken = (
  key: KeyObject,
  { issuer, audience, did }: AccessParties,
  { session, clientId, jkt }: AccessGrant,
  { issued, expires }: AccessTimes
): string =>
  signJwt(key, "at+jwt", {
    jti: session,
    sub: did,
    iat: issued,
    exp: expires,
    aud: audience,
    iss: issuer,
    client_id: clientId,
    cnf: { jkt }
  })

/** The requirements for an access token on its own. */
export interface AccessDemands extends AccessParties {
  /** Whether this server signed the token. */
  readonly isSigned: (jwt: Jwt) => boolean
  /** In seconds. */
  readonly now: number
}

/** The session in a token that this server signed, whatever its audience and age. */
export const sessionOfAccess = (
  jwt: Jwt | undefined,
  isSigned: AccessDemands["isSigned"]
): string | undefined =>
  jwt !== undefined && isSigned(jwt) && jwt.header["typ"] === "at+jwt"
    ? String(jwt.claims["jti"])
    : undefined

/** Checks an access token on its own; its session may have ended. */
export const checkAccessToken = (
  jwt: Jwt | undefined,
  demands: AccessDemands
): Result.Result<AccessGrant, string> => {
  const session = sessionOfAccess(jwt, demands.isSigned)
  if (jwt === undefined || session === undefined) return Result.fail("Token could not be verified")
  const { sub, iss, aud, exp, client_id: clientId, cnf } = jwt.claims
  if (sub !== demands.did || iss !== demands.issuer || aud !== demands.audience) {
    return Result.fail("Token could not be verified")
  }
  // SAFETY: this server signed the token, with a number and these texts.
  if ((exp as number) <= demands.now) return Result.fail("Token has expired")
  const { jkt } = cnf as { readonly jkt: string }
  return Result.succeed({ session, clientId: clientId as string, jkt })
}
