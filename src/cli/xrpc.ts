import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { Name, Words } from "./answers.ts"
import { CallFailed, Unreachable } from "./failure.ts"
import { isTooOften, once, patiently, retryAfterOf } from "./patience.ts"
import { printable } from "./printable.ts"

/** The failures of a call. */
export type CallError = CallFailed | Unreachable

/** A call or a sequence of calls. */
export type Calling<A> = Effect.Effect<A, CallError, HttpClient.HttpClient>

/** A server with the caller's `Authorization` header, computed for each call. */
export interface Remote {
  /** The origin, without a trailing slash. */
  readonly server: string
  readonly authorization?: Calling<string>
  /** The administrator's reason, for the server's audit log. */
  readonly reason?: string
}

/** Query parameters; leaves out undefined ones, repeats lists. */
export type Params = Readonly<
  Record<string, string | number | boolean | ReadonlyArray<string> | undefined>
>

/** Idempotent procedures. */
const repeatable: ReadonlySet<string> = new Set([
  "admin/keys/master",
  "admin/keys/plc",
  "app.bsky.actor.putPreferences",
  "com.atproto.repo.importRepo",
  "com.atproto.repo.uploadBlob",
  "com.atproto.server.activateAccount",
  "com.atproto.server.deactivateAccount"
])

interface Sending {
  readonly params?: Params
  /** Whether a call may be repeated although the server may have executed it. */
  readonly isRepeatable?: boolean
}

const errorOf = Schema.decodeUnknownOption(
  Schema.Struct({ error: Schema.optionalKey(Words), message: Schema.optionalKey(Words) })
)

const isName = Schema.is(Name)

/** A server's words on one line of bounded length. */
const brief = (text: string): string => printable(text.replaceAll(/\s+/g, " ").slice(0, 300))

const searchOf = (params: Params): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  const text = search.toString()
  return text === "" ? "" : `?${text}`
}

/** The reason for a missing response, as briefly as Node gives it. */
const reasonOf = (server: string) => (error: HttpClientError) => {
  const { cause } = error.reason as { readonly cause?: unknown }
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const why = inner instanceof Error ? inner.message || inner.name : error.message
  return new Unreachable({ server, why: brief(why) })
}

const failureOf = Effect.fnUntraced(function* (
  server: string,
  nsid: string,
  response: HttpClientResponse
) {
  const text = yield* Effect.orElseSucceed(response.text, () => "")
  const said = yield* Effect.orElseSucceed(
    Effect.try({ try: (): unknown => JSON.parse(text), catch: () => undefined }),
    () => undefined
  )
  const { error, message } = errorOf(said).pipe((option) =>
    option._tag === "Some" ? option.value : { error: undefined, message: undefined }
  )
  return new CallFailed({
    server,
    nsid,
    status: response.status,
    error: isName(error) ? error : "UnknownError",
    message: brief(message ?? (said === undefined ? text.slice(0, 200) : "")),
    ...retryAfterOf(response, yield* Clock.currentTimeMillis)
  })
})

/** The path of an endpoint: an NSID is a method, a name with a slash one of Nacre's own routes. */
const pathOf = (name: string): string => (name.includes("/") ? `/${name}` : `/xrpc/${name}`)

/** Sends a request, and retries it if that is safe and the pause is short. */
const send = Effect.fn("cli.send")(function* (
  remote: Remote,
  nsid: string,
  make: (url: string) => HttpClientRequest.HttpClientRequest,
  { params = {}, isRepeatable = repeatable.has(nsid) }: Sending = {}
): Effect.fn.Return<HttpClientResponse, CallError, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const { server } = remote
  const sending = Effect.gen(function* () {
    let request = make(`${server}${pathOf(nsid)}${searchOf(params)}`)
    if (remote.authorization !== undefined) {
      request = HttpClientRequest.setHeader(request, "authorization", yield* remote.authorization)
    }
    if (remote.reason !== undefined) {
      const reason = encodeURIComponent(remote.reason)
      request = HttpClientRequest.setHeader(request, "x-nacre-reason", reason)
    }
    const response = yield* Effect.mapError(client.execute(request), reasonOf(server))
    if (response.status < 300) return response
    return yield* Effect.flatMap(failureOf(server, nsid, response), Effect.fail)
  })
  // A rate-limited request was not executed, so it can always be repeated.
  return yield* patiently(sending, (error) => isRepeatable || isTooOften(error))
})

/** Decodes a response; `Schema.Void` accepts any. */
const read = Effect.fnUntraced(function* <S extends Schema.ConstraintDecoder<unknown>>(
  { server }: Remote,
  nsid: string,
  response: HttpClientResponse,
  output: S
) {
  const text = yield* Effect.mapError(response.text, reasonOf(server))
  const json = yield* Effect.try({
    try: (): unknown => (text === "" ? undefined : JSON.parse(text)),
    catch: () => new Unreachable({ server, why: `the response to ${nsid} isn't JSON` })
  })
  return yield* Effect.mapError(
    Schema.decodeUnknownEffect(output)(json),
    (error) =>
      new Unreachable({
        server,
        why: brief(`the response to ${nsid} has an unexpected form: ${error.message}`)
      })
  )
})

/** Calls a query. */
export const query = Effect.fn("cli.query")(function* <S extends Schema.ConstraintDecoder<unknown>>(
  remote: Remote,
  nsid: string,
  output: S,
  params: Params = {}
) {
  const asking = send(remote, nsid, HttpClientRequest.get, { params, isRepeatable: true })
  return yield* read(remote, nsid, yield* asking, output)
})

/** Calls a procedure; `Schema.Unknown` ignores the response. */
export const procedure = Effect.fn("cli.procedure")(function* <
  S extends Schema.ConstraintDecoder<unknown>
>(remote: Remote, nsid: string, output: S, input?: object) {
  const make = (url: string) =>
    input === undefined
      ? HttpClientRequest.post(url)
      : HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(url), input)
  return yield* read(remote, nsid, yield* send(remote, nsid, make), output)
})

/** Requests bytes once; the response's stream may fail later (see `patiently`). */
export const download = (remote: Remote, nsid: string, params: Params = {}) =>
  once(send(remote, nsid, HttpClientRequest.get, { params })).pipe(
    Effect.map((response) => {
      const length = Number(response.headers["content-length"])
      return {
        contentType: printable(response.headers["content-type"] ?? "application/octet-stream"),
        /** The response's length, if the server sends it. */
        length: Number.isInteger(length) && length > 0 ? length : undefined,
        body: response.stream,
        reason: reasonOf(remote.server)
      }
    })
  )

/** Sends bytes with their length; streams a file's Blob. */
export const upload = Effect.fn("cli.upload")(function* <
  S extends Schema.ConstraintDecoder<unknown>
>(
  remote: Remote,
  nsid: string,
  output: S,
  content: { readonly body: Blob; readonly contentType: string }
) {
  const { body, contentType } = content
  const sent = HttpBody.raw(body, { contentType, contentLength: body.size })
  const make = (url: string) => HttpClientRequest.setBody(HttpClientRequest.post(url), sent)
  return yield* read(remote, nsid, yield* send(remote, nsid, make), output)
})

/** Fetches any address, whatever the response's status. */
export const fetchText = Effect.fn("cli.fetchText")(function* (
  url: string,
  headers: Readonly<Record<string, string>> = {}
) {
  const client = yield* HttpClient.HttpClient
  const { origin } = new URL(url)
  const response = yield* Effect.mapError(client.get(url, { headers }), reasonOf(origin))
  return {
    status: response.status,
    text: yield* Effect.mapError(response.text, reasonOf(origin))
  }
})

/** Fetches JSON from any address: PLC directories, DNS over HTTPS. Undefined for a 404. */
export const fetchJson = Effect.fn("cli.fetchJson")(function* (
  url: string,
  accept = "application/json"
) {
  const client = yield* HttpClient.HttpClient
  const { origin } = new URL(url)
  const request = HttpClientRequest.setHeader(HttpClientRequest.get(url), "accept", accept)
  const asking = Effect.mapError(client.execute(request), reasonOf(origin))
  const response = yield* Effect.retry(asking, { times: 1 })
  if (response.status === 404 || response.status === 410) return undefined
  if (response.status >= 300) {
    return yield* new Unreachable({
      server: origin,
      why: `it answered with status ${response.status}`
    })
  }
  return yield* Effect.mapError(response.json, reasonOf(origin))
})
