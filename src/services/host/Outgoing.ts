import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * The request was not sent, or its response was discarded, because it violates a rule of this
 * client.
 */
export class OutgoingRefused extends Schema.TaggedError<OutgoingRefused>()("OutgoingRefused", {
  url: Schema.String,
  reason: Schema.String
}) {}

/** The other side was unreachable, too slow, or returned an unexpected status. */
export class OutgoingFailed extends Schema.TaggedError<OutgoingFailed>()("OutgoingFailed", {
  url: Schema.String,
  operation: Schema.Literals(["connect", "read", "timeout", "status"]),
  status: Schema.optional(Schema.Int),
  cause: Schema.optional(Schema.Defect())
}) {}

/** Why an outgoing request has no response. */
export type OutgoingError = OutgoingRefused | OutgoingFailed

/** A request whose response is read completely. */
export interface OutgoingRequest {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "DELETE"
  /** Sent to the first URL only; after a redirect, only `accept` is. */
  readonly headers?: Readonly<Record<string, string>>
  readonly accept?: string
  readonly body?: Uint8Array<ArrayBuffer> | string
  /** The largest response, in bytes after decoding. */
  readonly maxBytes: number
  /** The time limit of the whole exchange: redirects, headers and body. */
  readonly timeout: Duration.Input
  /**
   * How many redirects to follow (GET and HEAD); each URL is checked like the first. 0 by default.
   */
  readonly redirects?: number
  /** Accepted statuses other than 2xx, or "any". */
  readonly allowStatus?: ReadonlyArray<number> | "any"
}

/** A complete response. */
export interface OutgoingResponse {
  /** The URL that responded, after redirects. */
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer>
}

/** A limit, or a function of the response's headers. */
export type OutgoingLimit = number | ((headers: Headers) => number)

/**
 * A request with a streamed response; `timeout` is the limit until its headers arrive, with a small
 * body on Workers.
 */
export interface OutgoingStreamRequest extends Omit<
  OutgoingRequest,
  "body" | "redirects" | "maxBytes"
> {
  readonly body?: Uint8Array<ArrayBuffer> | string | ReadableStream<Uint8Array>
  readonly maxBytes: OutgoingLimit
  /** The time limit of any other body after the headers, in milliseconds. */
  readonly bodyTimeout: OutgoingLimit
  /** Passes the body on encoded, if the platform can; otherwise no encoding is requested. */
  readonly keepEncoding?: true
}

/**
 * A response with a streaming body, which fails beyond its size or time. Its headers describe the
 * body's encoding here.
 */
export interface OutgoingStream {
  readonly status: number
  readonly headers: Headers
  readonly body: ReadableStream<Uint8Array> | null
}

/**
 * The only client for requests to URLs that others chose.
 *
 * Accepts only public https addresses, follows no redirect by default, limits size and time, and
 * sends only what it is given: no cookies, no referrer. It can't see the address that a public name
 * resolves to, because a Worker has no DNS hook. On Workers `fetch` doesn't reach private networks;
 * on Node (development) a name may still point inside.
 */
export class Outgoing extends Context.Service<
  Outgoing,
  {
    request(url: string, request: OutgoingRequest): Effect.Effect<OutgoingResponse, OutgoingError>
    /** For proxying: follows no redirects and passes on every byte as it arrives. */
    open(url: string, request: OutgoingStreamRequest): Effect.Effect<OutgoingStream, OutgoingError>
    /** The same without a fiber; rejects with an `OutgoingError`. */
    openNow(url: string, request: OutgoingStreamRequest): Promise<OutgoingStream>
  }
>()("nacre/services/Outgoing") {}
