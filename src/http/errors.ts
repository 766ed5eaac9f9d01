import { signingAlgs } from "../core/oauth/jwk.ts"
import type { Denied, OAuthDenied } from "../services/sessions/Auth.ts"
import type { GrantEnded } from "../services/oauth/OAuthSessions.ts"
import type { ProxyTargetRefused, UpstreamFailed } from "../services/proxy/ProxyTargets.ts"
import type { Failure } from "./failures.ts"
import { jsonType, rateLimitHeaders } from "./responseHeaders.ts"

/** An error as it goes over the wire. */
export interface WireError {
  readonly status: number
  readonly error: string
  readonly message: string
  readonly headers?: Record<string, string>
}

type Wire = {
  readonly [T in Failure["_tag"]]: (failure: Extract<Failure, { readonly _tag: T }>) => WireError
}

const plain =
  (status: number, error: string) =>
  (failure: { readonly message: string }): WireError => ({
    status,
    error,
    message: failure.message
  })

// Clients take 400 with ExpiredToken as the sign to refresh their session.
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

/** What an app reads to know whether to refresh its token or to prove its key anew (RFC 9449, section 7.1). */
const challenge = ({ error, message }: OAuthDenied): string =>
  `DPoP error="${error}", error_description="${message}", algs="${signingAlgs.join(" ")}"`

/** What RFC 6750 has an app read to ask for more; characters that its section 3 forbids are left out. */
const scopeChallenge = (scope = ""): string =>
  `DPoP error="insufficient_scope", error_description="The token lacks a scope", scope="${scope.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "")}"`

const denialHeaders = ({ error, scope }: Denied): Pick<WireError, "headers"> => {
  if (error === "AuthMissing") return { headers: { "www-authenticate": "Bearer" } }
  if (error !== "ScopeMissingError") return {}
  return { headers: { "www-authenticate": scopeChallenge(scope) } }
}

const grantMessages = {
  unknown: "The grant is not known",
  replayed: "The grant was used before",
  expired: "The grant has expired",
  "other client": "The grant was issued to another client",
  "other key": "The grant is bound to another key",
  "account inactive": "The account is not active",
  ended: "The grant was ended by the account's owner"
} as const satisfies Record<GrantEnded["reason"], string>

const targetMessages = {
  "unknown did": "could not resolve proxy did",
  "no service": "could not resolve proxy did service url",
  "not public": "the proxy did service url is not one that requests are sent to",
  "this server": "this server does not proxy to itself"
} as const satisfies Record<ProxyTargetRefused["reason"], string>

const upstreamMessages = {
  unreachable: "Upstream service unreachable",
  "too slow": "Upstream service timed out",
  refused: "Upstream service gave no usable answer"
} as const satisfies Record<UpstreamFailed["reason"], string>

const inactiveName = {
  takendown: "RepoTakendown",
  suspended: "RepoSuspended",
  deactivated: "RepoDeactivated",
  deleted: "RepoNotFound"
} as const

const badRequest = (error: string, message: string): WireError => ({ status: 400, error, message })

const unavailable = (message: string): WireError => ({
  status: 503,
  error: "ServiceUnavailable",
  message
})

const upstream = (message: string): WireError => ({
  status: 502,
  error: "UpstreamFailure",
  message
})

/** The one table from a failure to its answer. */
const wire: Wire = {
  InvalidRequest: plain(400, "InvalidRequest"),
  PayloadTooLarge: ({ limit }) => ({
    status: 413,
    error: "PayloadTooLarge",
    message: `The request body is larger than ${limit} bytes`
  }),
  UnsupportedEncoding: ({ encoding }) => ({
    status: 415,
    error: "UnsupportedMediaType",
    message: `Unsupported Content-Encoding: ${encoding}`
  }),
  MethodNotImplemented: () => ({
    status: 501,
    error: "MethodNotImplemented",
    message: "Method Not Implemented"
  }),
  NoSuchAccount: () => badRequest("NotFound", "Account not found"),
  Denied: (denied) => ({
    status: statusOfDenial[denied.error],
    error: denied.error,
    message: denied.message,
    ...denialHeaders(denied)
  }),
  OAuthDenied: (denied) => ({
    status: 401,
    error: denied.error,
    message: denied.message,
    headers: {
      "www-authenticate": challenge(denied),
      ...(denied.nonce === undefined ? {} : { "dpop-nonce": denied.nonce })
    }
  }),
  GrantEnded: ({ reason }) => badRequest("invalid_grant", grantMessages[reason]),
  RepoNotFound: ({ did }) => badRequest("RepoNotFound", `Could not find repo for DID: ${did}`),
  RepoInactive: ({ did, status }) =>
    badRequest(inactiveName[status], `Repo has been ${status}: ${did}`),
  RecordNotFound: ({ uri }) => badRequest("RecordNotFound", `Could not locate record: ${uri}`),
  BlockNotFound: ({ cids }) =>
    badRequest("BlockNotFound", `Could not find cids: ${cids.join(", ")}`),
  BlobNotFound: ({ cid }) => badRequest("BlobNotFound", `Could not find blob: ${cid}`),
  BlobQuotaExceeded: plain(400, "BlobQuotaExceeded"),
  BlobTakendown: plain(400, "BlobTakendown"),
  UploadExpired: plain(400, "InvalidRequest"),
  BlobTooLarge: plain(413, "PayloadTooLarge"),
  BlobEmpty: plain(400, "InvalidRequest"),
  BlobIncomplete: plain(400, "InvalidRequest"),
  ImportBusy: (busy) => ({
    ...unavailable(busy.message),
    headers: { "retry-after": String(busy.retryAfterSeconds) }
  }),
  BlobStoreBusy: (busy) => ({
    ...unavailable(busy.message),
    headers: { "retry-after": String(busy.retryAfterSeconds) }
  }),
  BlobStoreUnavailable: () => unavailable("The blob store is unavailable"),
  InvalidMimeType: plain(400, "InvalidMimeType"),
  InvalidSize: plain(400, "InvalidSize"),
  InvalidWrite: plain(400, "InvalidRequest"),
  InvalidSwap: plain(400, "InvalidSwap"),
  ImportRefused: plain(400, "InvalidRequest"),
  RateLimitExceeded: (exceeded) => ({
    status: 429,
    error: "RateLimitExceeded",
    message: "Rate Limit Exceeded",
    headers: {
      ...rateLimitHeaders(exceeded),
      "retry-after": String(exceeded.retryAfter ?? exceeded.windowSeconds)
    }
  }),
  LimiterUnavailable: () => unavailable("The rate limiter is unavailable"),
  SignUpRefused: ({ error, message }) => badRequest(error, message),
  HandleNotAvailable: ({ handle }) =>
    badRequest("HandleNotAvailable", `Handle already taken: ${handle}`),
  EmailTaken: ({ email }) => badRequest("InvalidRequest", `Email already taken: ${email}`),
  AccountExists: ({ did }) =>
    badRequest(
      "AlreadyExists",
      `Repo already exists: ${did}. Sign in to it here, and go on with what checkAccountStatus says is missing`
    ),
  InvalidInviteCode: () => badRequest("InvalidInviteCode", "Provided invite code not available"),
  DirectoryUnavailable: ({ operation }) =>
    unavailable(`The account directory is unavailable (${operation})`),
  HandleNotFound: () => badRequest("HandleNotFound", "Unable to resolve handle"),
  DidNotFound: ({ did }) => badRequest("DidNotFound", `Could not resolve DID: ${did}`),
  DidDeactivated: ({ did }) => badRequest("DidDeactivated", `DID has been deactivated: ${did}`),
  IdentityUnavailable: ({ subject }) => upstream(`Could not resolve ${subject} just now`),
  PlcOperationRefused: plain(400, "InvalidRequest"),
  PlcRefused: ({ reason }) =>
    badRequest("InvalidRequest", `The PLC directory refused the operation: ${reason}`),
  PlcUnavailable: () => upstream("The PLC directory could not be reached"),
  SessionEnded: () => badRequest("ExpiredToken", "Token has been revoked"),
  // Official clients know a wrong code by these words.
  WrongCode: () => ({ status: 401, error: "AuthenticationRequired", message: "Token is invalid" }),
  TooManyCodes: ({ retryAfterSeconds }) => ({
    status: 429,
    error: "RateLimitExceeded",
    message: "Too many wrong codes",
    headers: { "retry-after": String(retryAfterSeconds) }
  }),
  NoAuthenticator: () =>
    badRequest("InvalidRequest", "The account has no authenticator to do this with"),
  PasskeyRefused: () => ({
    status: 401,
    error: "AuthenticationRequired",
    message: "The passkey could not be verified"
  }),
  AppPasswordRefused: plain(400, "InvalidRequest"),
  ReservedKeysFull: () => unavailable("Too many keys wait for their accounts. Try again later"),
  AppPasswordExists: ({ name }) =>
    badRequest("InvalidRequest", `There is an app password of this name already: ${name}`),
  BadExpiration: plain(400, "BadExpiration"),
  ServiceTokenRefused: plain(400, "InvalidRequest"),
  SubjectNotFound: () => badRequest("NotFound", "Subject not found"),
  StandingRefused: plain(400, "InvalidRequest"),
  IncompatibleDid: plain(400, "InvalidRequest"),
  DeletionDue: ({ did }) => badRequest("InvalidRequest", `The account is being deleted: ${did}`),
  CodeInvalid: () => badRequest("InvalidToken", "Token is invalid"),
  CodeExpired: () => badRequest("ExpiredToken", "Token is expired"),
  InvalidEmail: () => badRequest("InvalidEmail", "This is not the account's email address"),
  TokenRequired: () => badRequest("TokenRequired", "Confirmation token required"),
  NoEmailAddress: () => badRequest("InvalidRequest", "The account has no email address"),
  MailNotSent: () => upstream("The mail could not be sent"),
  HandleRefused: ({ error, message }) => badRequest(error, message),
  NotOurDid: ({ did }) =>
    badRequest("InvalidRequest", `This server's key may not change the DID: ${did}`),
  KeyUnreadable: () => unavailable("A reserved signing key cannot be opened"),
  PreferenceRefused: plain(400, "InvalidRequest"),
  Rejected: ({ status, error, message, headers }) => ({
    status,
    error,
    message,
    ...(headers === undefined ? {} : { headers })
  }),
  ProxyTargetRefused: ({ reason }) => badRequest("InvalidRequest", targetMessages[reason]),
  UnknownFeed: ({ feed }) => badRequest("UnknownFeed", `could not resolve feed did: ${feed}`),
  UpstreamFailed: ({ reason }) => upstream(upstreamMessages[reason]),
  SequencerUnavailable: ({ operation }) =>
    unavailable(`The event log is unavailable (${operation})`)
}

/** The answer for a failure. */
export const wireError = (failure: Failure): WireError =>
  // SAFETY: the table holds, for each tag, the function of that very tag.
  (wire[failure._tag] as (failure: Failure) => WireError)(failure)

/** The response of an error, in the protocol's form. */
export const errorResponse = (error: WireError): Response =>
  new Response(JSON.stringify({ error: error.error, message: error.message }), {
    status: error.status,
    headers: { "content-type": jsonType, ...error.headers }
  })
