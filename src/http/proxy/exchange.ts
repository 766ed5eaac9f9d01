import * as Effect from "effect/Effect"
import { Config, type Settings } from "../../services/host/Config.ts"
import {
  Outgoing,
  type OutgoingError,
  type OutgoingStream,
  type OutgoingStreamRequest
} from "../../services/host/Outgoing.ts"
import { UpstreamFailed } from "../../services/proxy/ProxyTargets.ts"
import { errorResponse } from "../errors.ts"
import { PayloadTooLarge } from "../../services/failures.ts"
import { isJson, maxRead, parseJson, type PassedBody, readAnswer } from "./bodies.ts"
import { headersDown } from "./headers.ts"
import { isSettled, settled } from "./settled.ts"
import { spanned } from "../../services/operators/spanned.ts"

/** A request as a service gets it. */
export interface Upward {
  readonly method: "GET" | "HEAD" | "POST"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: PassedBody | undefined
  /** Keeps the response's encoding. */
  readonly keepEncoding: boolean
}

const second = 1000

/**
 * How long a service may take to send headers; a request body may take longer, at 64 KiB a second
 * at least.
 */
const patience = (body: PassedBody | undefined): number =>
  body === undefined
    ? 10 * second
    : body.length === undefined
      ? 40 * second
      : 10 * second + (body.length / 65_536) * second

/**
 * How long a response's body may take: somebody waits for JSON, while anything else may be large.
 */
const bodyPatience = (headers: Headers): number => (isJson(headers) ? 30 : 600) * second

const reasonOf = (error: OutgoingError): UpstreamFailed["reason"] =>
  error._tag === "OutgoingRefused"
    ? "refused"
    : error.operation === "timeout"
      ? "too slow"
      : "unreachable"

/** The limits of a request to a service. */
export const outgoingOf = (
  { method, headers, body, keepEncoding }: Upward,
  { blobLimit }: Pick<Settings, "blobLimit">
): OutgoingStreamRequest => ({
  method,
  headers,
  allowStatus: "any",
  timeout: patience(body),
  maxBytes: (given) => (isJson(given) ? maxRead : Math.max(maxRead, blobLimit)),
  bodyTimeout: bodyPatience,
  ...(body === undefined ? {} : { body: body.body }),
  ...(keepEncoding ? { keepEncoding: true } : {})
})

/** Whether there was no connection, so the service can't have got the request. */
const isUnconnected = (error: OutgoingError): boolean =>
  error._tag === "OutgoingFailed" && error.operation === "connect"

/**
 * Sends a request to a service; retries a read once if there was no connection.
 *
 * A request that has failed already is given with its error.
 */
export const ask = spanned("proxy.ask")(function* (asked: Upward, failed?: OutgoingError) {
  const { method, url, body } = asked
  const config = yield* Config
  const { blobLimit } = config
  const once = (yield* Outgoing).open(url, outgoingOf(asked, config))
  const first = failed === undefined ? once : Effect.fail(failed)
  const answered = method === "POST" ? first : Effect.catchIf(first, isUnconnected, () => once)
  return yield* answered.pipe(
    Effect.tapError((error) => Effect.logWarning("upstream failed", error)),
    Effect.mapError((error) =>
      body?.isOver() === true
        ? new PayloadTooLarge({ limit: blobLimit })
        : new UpstreamFailed({ reason: reasonOf(error) })
    )
  )
})

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value.slice(0, 2048) : undefined

/** Error names are single words; anything else is ignored. */
const errorName = (value: unknown): string | undefined =>
  typeof value === "string" && /^[A-Za-z][A-Za-z0-9_.-]{0,127}$/.test(value) ? value : undefined

/** The error in a response, if it has the protocol's form. */
const faultOf = Effect.fnUntraced(function* (answer: OutgoingStream) {
  // A redirect, which is never followed, is not the service's error.
  if (answer.status < 400 || !isJson(answer.headers)) {
    yield* discard(answer)
    return {}
  }
  const fault = yield* readAnswer(answer, 64 * 1024).pipe(
    Effect.flatMap(parseJson),
    Effect.orElseSucceed(() => undefined)
  )
  return typeof fault === "object" && fault !== null
    ? (fault as { readonly error?: unknown; readonly message?: unknown })
    : {}
})

/** Cancels a response whose body nobody will read. */
const discard = ({ body }: OutgoingStream) =>
  Effect.ignore(Effect.tryPromise(() => body?.cancel() ?? Promise.resolve()))

/** Whether a response is a success; a redirect isn't, because it is never followed. */
export const succeeded = ({ status }: OutgoingStream): boolean =>
  (status >= 200 && status < 300) || status === 304

/** Whether a response can be passed on at once: a success that nothing has to be waited for. */
export const isPassed = (answer: OutgoingStream): boolean => succeeded(answer) && isSettled(answer)

/** Statuses that say something about this call, with the error name if the service gives none. */
const passedFailures: Readonly<Record<number, string>> = {
  501: "MethodNotImplemented",
  503: "UpstreamFailure",
  504: "UpstreamTimeout"
}

const defaultName = (status: number): string => {
  if (status < 400 || status >= 500) return passedFailures[status] ?? "UpstreamFailure"
  return status === 404 ? "NotFound" : "InvalidRequest"
}

/** A service's own fault becomes a 502, because a 500 would be this server's. */
const passedStatus = (status: number): number =>
  (status >= 400 && status < 500) || status in passedFailures ? status : 502

/** A service's error in the protocol's form, with its own error name. */
export const failedAnswer = Effect.fnUntraced(function* (answer: OutgoingStream) {
  const { status, headers } = answer
  const { error, message } = yield* faultOf(answer)
  const said =
    status < 500 && status >= 400 ? `The service answered ${status}` : "The service failed"
  return errorResponse({
    status: passedStatus(status),
    error: errorName(error) ?? defaultName(status),
    message: textOf(message) ?? said,
    headers: headersDown(headers, "none")
  })
})

/** A service's settled response as the caller gets it. */
export const responseOf = ({ status, headers, body }: OutgoingStream): Response =>
  new Response(status === 204 || status === 205 || status === 304 ? null : body, {
    status,
    headers: headersDown(headers, body === null && status !== 200 ? "none" : "same"),
    // The bytes are already encoded if the headers say so.
    encodeBody: "manual"
  })

/** A service's response, passed on to the caller. */
export const passedAnswer = (answer: OutgoingStream) => Effect.map(settled(answer), responseOf)
