import type { KeyObject } from "node:crypto"
import * as Result from "effect/Result"
import { type Jwt, signJwt } from "./jwt.ts"

/** The scope in access tokens for each level of session. */
const scopeOfLevel = {
  full: "com.atproto.access",
  privileged: "com.atproto.appPassPrivileged",
  standard: "com.atproto.appPass",
  /** With the permissions of its app password only. */
  scoped: "com.atproto.appPass",
  takendown: "com.atproto.takendown"
} as const

/** A session's level: how much its tokens may do. */
export type Level = keyof typeof scopeOfLevel

const accessScopes: ReadonlySet<unknown> = new Set(Object.values(scopeOfLevel))

/** Whether a scope is of a session that its owner or an app password opened before any takedown. */
export const isPlainScope = (scope: string): boolean =>
  scope !== scopeOfLevel.takendown && accessScopes.has(scope)

const refreshScope = "com.atproto.refresh"

/** A token's issuer and subject: the server and the account. */
export interface Parties {
  /** The server's DID. */
  readonly service: string
  /** The account's DID. */
  readonly did: string
}

/** Makes an access token: its `jti` is the session, so ending the session ends it. `now` and `life` are in seconds. */
export const accessToken = (
  key: KeyObject,
  { service, did }: Parties,
  session: { readonly id: string; readonly level: Level },
  { now, life }: { readonly now: number; readonly life: number }
): string =>
  signJwt(key, "at+jwt", {
    scope: scopeOfLevel[session.level],
    aud: service,
    sub: did,
    iat: now,
    exp: now + life,
    jti: session.id
  })

/** Creates a refresh token: `jti` is used once, `sid` is its session. */
export const refreshToken = (
  key: KeyObject,
  { service, did }: Parties,
  token: { readonly id: string; readonly session: string; readonly expires: number },
  now: number
): string =>
  signJwt(key, "refresh+jwt", {
    scope: refreshScope,
    aud: service,
    sub: did,
    iat: now,
    exp: token.expires,
    jti: token.id,
    sid: token.session
  })

/** Why a token is rejected, with the protocol's error name. */
export interface TokenFault {
  readonly error: "InvalidToken" | "ExpiredToken"
  readonly message: string
}

const fault = (error: TokenFault["error"], message: string): TokenFault => ({ error, message })

/** Claims of other kinds of token: service auth, and tokens bound to a key. */
export const isForeign = ({ claims }: Jwt): boolean =>
  claims["lxm"] !== undefined || claims["cnf"] !== undefined

interface Demands extends Parties {
  /** Whether this server signed the token. */
  readonly isSigned: (jwt: Jwt) => boolean
  /** In seconds. */
  readonly now: number
  /** Also accepts an expired token. */
  readonly expired?: boolean
}

const check = (
  jwt: Jwt | undefined,
  demands: Demands,
  typ: string,
  isScope: (scope: unknown) => boolean
): TokenFault | undefined => {
  if (jwt === undefined || isForeign(jwt)) return fault("InvalidToken", "Malformed token")
  const { header, claims } = jwt
  if (!demands.isSigned(jwt)) {
    return fault("InvalidToken", "Token could not be verified")
  }
  if (header["typ"] !== typ || !isScope(claims["scope"])) {
    return fault("InvalidToken", "Bad token scope")
  }
  if (claims["aud"] !== demands.service || claims["sub"] !== demands.did) {
    return fault("InvalidToken", "Token could not be verified")
  }
  // SAFETY: this server signed the token and writes a number here.
  return demands.expired !== true && (claims["exp"] as number) <= demands.now
    ? fault("ExpiredToken", "Token has expired")
    : undefined
}

const textClaim = (jwt: Jwt | undefined, name: string): string => String(jwt?.claims[name])

/** Checks an access token and returns its session, which may have ended. */
export const checkAccess = (
  jwt: Jwt | undefined,
  demands: Demands
): Result.Result<string, TokenFault> => {
  const wrong = check(jwt, demands, "at+jwt", (scope) => accessScopes.has(scope))
  return wrong === undefined ? Result.succeed(textClaim(jwt, "jti")) : Result.fail(wrong)
}

/**
 * Checks a refresh token and returns its session and its id, which may have been used already; a
 * token from another server names no session.
 */
export const checkRefresh = (
  jwt: Jwt | undefined,
  demands: Demands
): Result.Result<{ readonly session: string | undefined; readonly token: string }, TokenFault> => {
  const wrong = check(jwt, demands, "refresh+jwt", (scope) => scope === refreshScope)
  if (wrong !== undefined) return Result.fail(wrong)
  const session = jwt?.claims["sid"] === undefined ? undefined : textClaim(jwt, "sid")
  return Result.succeed({ session, token: textClaim(jwt, "jti") })
}
