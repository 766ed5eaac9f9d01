import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The request was not sent, or its answer was thrown away, because it breaks a rule of this client. */
export class OutgoingRefused extends Schema.TaggedError<OutgoingRefused>()("OutgoingRefused", {
  url: Schema.String,
  reason: Schema.String
}) {}

/** The other side could not be reached, was too slow, or answered with a status that was not asked for. */
export class OutgoingFailed extends Schema.TaggedError<OutgoingFailed>()("OutgoingFailed", {
  url: Schema.String,
  operation: Schema.Literals(["connect", "read", "timeout", "status"]),
  status: Schema.optional(Schema.Int),
  cause: Schema.optional(Schema.Defect())
}) {}

/** Why an outgoing request has no answer. */
export type OutgoingError = OutgoingRefused | OutgoingFailed

/** A request whose answer is read whole. */
export interface OutgoingRequest {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "DELETE"
  /** Sent to the first address only; on a redirect just `accept` goes on. */
  readonly headers?: Readonly<Record<string, string>>
  readonly accept?: string
  readonly body?: Uint8Array<ArrayBuffer> | string
  /** The largest answer that is read, in bytes after decoding. */
  readonly maxBytes: number
  /** The limit of the whole exchange: redirects, headers and body. */
  readonly timeout: Duration.Input
  /** How many redirects are followed (GET and HEAD); each address is checked like the first. 0 by default. */
  readonly redirects?: number
  /** Statuses that are answers besides 2xx, or "any". */
  readonly allowStatus?: ReadonlyArray<number> | "any"
}

/** An answer, read whole. */
export interface OutgoingResponse {
  /** The address that answered, after redirects. */
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer>
}

/** A limit, or how it follows from the answer's headers. */
export type OutgoingLimit = number | ((headers: Headers) => number)

/** A request whose answer streams; `timeout` is the limit until its headers are there. */
export interface OutgoingStreamRequest extends Omit<
  OutgoingRequest,
  "body" | "redirects" | "maxBytes"
> {
  readonly body?: Uint8Array<ArrayBuffer> | string | ReadableStream<Uint8Array>
  readonly maxBytes: OutgoingLimit
  /** The limit of the body's time, from the headers on, in milliseconds. */
  readonly bodyTimeout: OutgoingLimit
  /** The body is handed on encoded as it comes, where the platform can; else it is not asked for in an encoding. */
  readonly keepEncoding?: true
}

/** An answer whose body is still coming; it fails past its size or time. Its headers tell how the body is encoded here. */
export interface OutgoingStream {
  readonly status: number
  readonly headers: Headers
  readonly body: ReadableStream<Uint8Array> | null
}

/**
 * The one client for requests to addresses that somebody else chose.
 *
 * It takes public https addresses only, follows no redirect unasked, bounds size and time, and sends nothing but what it is given: no cookies, no referrer.
 * It cannot see which address a public name resolves to: a Worker has no DNS hook. There `fetch` does not reach private networks; on Node (development) a name may still point inside.
 */
export class Outgoing extends Context.Service<
  Outgoing,
  {
    request(url: string, request: OutgoingRequest): Effect.Effect<OutgoingResponse, OutgoingError>
    /** For proxying: follows no redirects and hands on every byte as it comes. */
    open(url: string, request: OutgoingStreamRequest): Effect.Effect<OutgoingStream, OutgoingError>
  }
>()("nacre/services/Outgoing") {}
