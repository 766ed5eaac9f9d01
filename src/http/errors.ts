import * as Schema from "effect/Schema"
import type { RepoNotFound } from "../services/AccountStore.ts"
import type { Rejected } from "../services/Accounts.ts"
import type { Denied } from "../services/Auth.ts"
import type { SequencerUnavailable } from "../services/Sequencer.ts"

/** An error as it goes over the wire. */
export interface WireError {
  readonly status: number
  readonly error: string
  readonly message: string
  readonly headers?: Record<string, string>
}

/** The request is wrong in itself: shape, syntax, or a rule of the method. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  message: Schema.String
}) {}

/** The body is larger than this method takes. */
export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()("PayloadTooLarge", {
  limit: Schema.Number
}) {}

/** The body's Content-Encoding is none that this server reads. */
export class UnsupportedEncoding extends Schema.TaggedError<UnsupportedEncoding>()(
  "UnsupportedEncoding",
  { encoding: Schema.String }
) {}

/** Everything that a method may fail with. */
export type Failure =
  | InvalidRequest
  | PayloadTooLarge
  | UnsupportedEncoding
  | Denied
  | RepoNotFound
  | Rejected
  | SequencerUnavailable

type Wire = {
  readonly [T in Failure["_tag"]]: (failure: Extract<Failure, { readonly _tag: T }>) => WireError
}

const plain =
  (status: number, error: string) =>
  (failure: { readonly message: string }): WireError => ({ status, error, message: failure.message })

const unauthorized = new Set(["AuthMissing", "AuthenticationRequired", "AccountTakedown", "AccountDeactivated", "BadJwt", "BadJwtType", "BadJwtAudience", "BadJwtLexiconMethod", "BadJwtIss", "BadJwtSignature", "JwtExpired", "UntrustedIss"])
const forbidden = new Set(["AccountNotFound", "Forbidden", "ScopeMissingError"])

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
