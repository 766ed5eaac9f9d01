import type { Failure } from "./failures.ts"

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

const unauthorized = new Set([
  "AuthMissing",
  "AuthenticationRequired",
  "AccountTakedown",
  "AccountDeactivated",
  "BadJwt",
  "BadJwtType",
  "BadJwtAudience",
  "BadJwtLexiconMethod",
  "BadJwtIss",
  "BadJwtSignature",
  "JwtExpired",
  "UntrustedIss"
])
const forbidden = new Set(["AccountNotFound", "Forbidden", "ScopeMissingError"])

const inactiveName = {
  takendown: "RepoTakendown",
  suspended: "RepoSuspended",
  deactivated: "RepoDeactivated",
  deleted: "RepoNotFound"
} as const

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
  Denied: ({ error, message }) => ({
    status: unauthorized.has(error) ? 401 : forbidden.has(error) ? 403 : 400,
    error,
    message,
    ...(error === "AuthMissing" ? { headers: { "www-authenticate": "Bearer" } } : {})
  }),
  RepoNotFound: ({ did }) => ({
    status: 400,
    error: "RepoNotFound",
    message: `Could not find repo for DID: ${did}`
  }),
  RepoInactive: ({ did, status }) => ({
    status: 400,
    error: inactiveName[status],
    message: `Repo has been ${status}: ${did}`
  }),
  RecordNotFound: ({ uri }) => ({
    status: 400,
    error: "RecordNotFound",
    message: `Could not locate record: ${uri}`
  }),
  BlockNotFound: ({ cids }) => ({
    status: 400,
    error: "BlockNotFound",
    message: `Could not find cids: ${cids.join(", ")}`
  }),
  BlobNotFound: ({ cid }) => ({
    status: 400,
    error: "BlobNotFound",
    message: `Could not find blob: ${cid}`
  }),
  BlobQuotaExceeded: plain(400, "BlobQuotaExceeded"),
  BlobTakendown: plain(400, "BlobTakendown"),
  UploadExpired: plain(400, "InvalidRequest"),
  BlobTooLarge: plain(413, "PayloadTooLarge"),
  BlobEmpty: plain(400, "InvalidRequest"),
  BlobIncomplete: plain(400, "InvalidRequest"),
  BlobStoreUnavailable: () => unavailable("The blob store is unavailable"),
  InvalidMimeType: plain(400, "InvalidMimeType"),
  InvalidSize: plain(400, "InvalidSize"),
  InvalidWrite: plain(400, "InvalidRequest"),
  InvalidSwap: plain(400, "InvalidSwap"),
  RateLimitExceeded: ({ limit, windowSeconds, remaining, resetAt, retryAfter }) => ({
    status: 429,
    error: "RateLimitExceeded",
    message: "Rate Limit Exceeded",
    headers: {
      "ratelimit-limit": String(limit),
      "ratelimit-remaining": String(remaining),
      "ratelimit-reset": String(Math.ceil(resetAt / 1000)),
      "ratelimit-policy": `${limit};w=${windowSeconds}`,
      "retry-after": String(retryAfter ?? windowSeconds)
    }
  }),
  LimiterUnavailable: () => unavailable("The rate limiter is unavailable"),
  SignUpRefused: ({ error, message }) => ({ status: 400, error, message }),
  HandleNotAvailable: ({ handle }) => ({
    status: 400,
    error: "HandleNotAvailable",
    message: `Handle already taken: ${handle}`
  }),
  EmailTaken: ({ email }) => ({
    status: 400,
    error: "InvalidRequest",
    message: `Email already taken: ${email}`
  }),
  AccountExists: ({ did }) => ({
    status: 400,
    error: "AlreadyExists",
    message: `Repo already exists: ${did}`
  }),
  InvalidInviteCode: () => ({
    status: 400,
    error: "InvalidInviteCode",
    message: "Provided invite code not available"
  }),
  DirectoryUnavailable: ({ operation }) =>
    unavailable(`The account directory is unavailable (${operation})`),
  HandleNotFound: () => ({
    status: 400,
    error: "HandleNotFound",
    message: "Unable to resolve handle"
  }),
  DidNotFound: ({ did }) => ({
    status: 400,
    error: "DidNotFound",
    message: `Could not resolve DID: ${did}`
  }),
  DidDeactivated: ({ did }) => ({
    status: 400,
    error: "DidDeactivated",
    message: `DID has been deactivated: ${did}`
  }),
  IdentityUnavailable: ({ subject }) => upstream(`Could not resolve ${subject} just now`),
  PlcRefused: ({ reason }) => ({
    status: 400,
    error: "InvalidRequest",
    message: `The PLC directory refused the operation: ${reason}`
  }),
  PlcUnavailable: () => upstream("The PLC directory could not be reached"),
  SessionEnded: () => ({
    status: 400,
    error: "ExpiredToken",
    message: "Token has been revoked"
  }),
  AppPasswordExists: ({ name }) => ({
    status: 400,
    error: "InvalidRequest",
    message: `There is an app password of this name already: ${name}`
  }),
  BadExpiration: plain(400, "BadExpiration"),
  ServiceTokenRefused: plain(400, "InvalidRequest"),
  IncompatibleDid: plain(400, "InvalidRequest"),
  PreferenceRefused: plain(400, "InvalidRequest"),
  Rejected: ({ status, error, message, headers }) => ({
    status,
    error,
    message,
    ...(headers === undefined ? {} : { headers })
  }),
  SequencerUnavailable: ({ operation }) => ({
    status: 503,
    error: "ServiceUnavailable",
    message: `The event log is unavailable (${operation})`
  })
}

/** The answer for a failure. */
export const wireError = (failure: Failure): WireError =>
  // SAFETY: the table holds, for each tag, the function of that very tag.
  (wire[failure._tag] as (failure: Failure) => WireError)(failure)

/** The response of an error, in the protocol's form. */
export const errorResponse = (error: WireError): Response =>
  new Response(JSON.stringify({ error: error.error, message: error.message }), {
    status: error.status,
    headers: { "content-type": "application/json; charset=utf-8", ...error.headers }
  })
