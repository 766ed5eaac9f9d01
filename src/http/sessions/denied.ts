import type { AccountTakenDown } from "../../services/accounts/AccountStore.ts"
import { signingAlgs } from "../../core/oauth/jwk.ts"
import type { AppPasswordRefused } from "../../services/sessions/AppPasswords.ts"
import type { OwnTokenRefused } from "../../services/sessions/OwnTokens.ts"
import type { Denied, OAuthDenied } from "../../services/sessions/Auth.ts"
import type { GrantEnded } from "../../services/oauth/OAuthSessions.ts"
import { badRequest, type WireError } from "../wire.ts"

// Clients refresh their session after a 400 with ExpiredToken.
const statusOfDenial = {
  AuthMissing: 401,
  InvalidToken: 400,
  ExpiredToken: 400,
  AuthenticationRequired: 401,
  AuthFactorTokenRequired: 401,
  AccountTakedown: 401,
  AccountDeactivated: 401,
  AccountNotFound: 403,
  Forbidden: 403,
  ScopeMissingError: 403,
  BadJwt: 401,
  BadJwtType: 401,
  BadJwtAudience: 401,
  BadJwtLexiconMethod: 401,
  BadJwtIss: 401,
  BadJwtSignature: 401,
  JwtExpired: 401,
  UntrustedIss: 401
} as const satisfies Record<Denied["error"], number>

/** Tells an app whether to refresh its token or to send a new proof (RFC 9449, section 7.1). */
const challenge = ({ error, message }: OAuthDenied): string =>
  `DPoP error="${error}", error_description="${message}", algs="${signingAlgs.join(" ")}"`

/**
 * Tells an app to request more scopes (RFC 6750), without the characters that its section 3
 * forbids.
 */
const scopeChallenge = (scheme: string, scope = ""): string =>
  `${scheme} error="insufficient_scope", error_description="The token lacks a scope", scope="${scope.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "")}"`

const denialHeaders = ({ error, scope, scheme = "DPoP" }: Denied): Pick<WireError, "headers"> => {
  if (error === "AuthMissing") return { headers: { "www-authenticate": "Bearer" } }
  if (error !== "ScopeMissingError") return {}
  return {
    headers: { "www-authenticate": scopeChallenge(scheme, scope) }
  }
}

/** The response to an unauthorized caller. */
export const deniedError = (denied: Denied): WireError => ({
  status: statusOfDenial[denied.error],
  error: denied.error,
  message: denied.message,
  ...denialHeaders(denied)
})

/** The response to an OAuth app with an invalid token or proof. */
export const oauthDeniedError = (denied: OAuthDenied): WireError => ({
  status: 401,
  error: denied.error,
  message: denied.message,
  headers: {
    "www-authenticate": challenge(denied),
    ...(denied.nonce === undefined ? {} : { "dpop-nonce": denied.nonce })
  }
})

const grantMessages = {
  unknown: "The grant is not known",
  replayed: "The grant was used before",
  expired: "The grant has expired",
  "other client": "The grant was issued to another client",
  "other key": "The grant is bound to another key",
  "account inactive": "The account is not active",
  ended: "The grant was ended by the account's owner"
} as const satisfies Record<GrantEnded["reason"], string>

/** The response to an app whose grant has ended. */
export const grantEndedError = ({ reason }: GrantEnded): WireError =>
  badRequest("invalid_grant", grantMessages[reason])

/** The error for an app password beyond the limits. */
export const appPasswordRefusedError = ({ reason, limit }: AppPasswordRefused): WireError =>
  badRequest(
    "InvalidRequest",
    reason === "too many"
      ? `An account has at most ${limit} app passwords`
      : `The name must have at most ${limit} characters`
  )

const tokenRefusals = {
  "bad name": (limit: number) => `The name must have 1 to ${limit} characters`,
  "name taken": () => "There is an access token with this name already",
  "too many": (limit: number) => `An account has at most ${limit} access tokens`
} as const satisfies Record<OwnTokenRefused["reason"], (limit: number) => string>

/** The response to an access token that can't be created. */
export const ownTokenRefusedError = ({ reason, limit }: OwnTokenRefused): WireError =>
  badRequest("InvalidRequest", tokenRefusals[reason](limit))

/** The error for an account that is taken down, or suspended with a reason for its owner. */
export const takenDownError = ({ reason }: AccountTakenDown): WireError => ({
  status: 401,
  error: "AccountTakedown",
  message:
    reason === undefined ? "Account has been taken down" : `Account has been suspended: ${reason}`
})
