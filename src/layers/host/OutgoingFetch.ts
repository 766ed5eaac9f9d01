import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { checkFetchUrl } from "../../core/identity/address.ts"
import { isOwnHost, type OwnNames } from "../../core/identity/ownHost.ts"
import { concatBytes } from "../../core/bytes/bytes.ts"
import {
  Outgoing,
  type OutgoingError,
  type OutgoingLimit,
  OutgoingFailed,
  OutgoingRefused,
  type OutgoingRequest,
  type OutgoingResponse,
  type OutgoingStream,
  type OutgoingStreamRequest
} from "../../services/host/Outgoing.ts"
import { sized } from "../../services/host/sizedStream.ts"
import {
  bounded,
  decodedHeaders,
  discard,
  isWorker,
  lengthOf,
  readSmall,
  shown,
  smallBody,
  tooLarge
} from "./outgoingBody.ts"
import { spanned } from "../../services/operators/spanned.ts"

/** The part of the platform's fetch in use. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** The fetch of this home, if not the platform's: a server on one machine guards its network. */
export const HomeFetch = Context.Reference<Fetch | undefined>("nacre/layers/HomeFetch", {
  defaultValue: () => undefined
})

/** Options for outgoing requests. */
export interface OutgoingOptions {
  readonly fetch?: Fetch
  /** Hosts that are exempt from the rules for public addresses, for development and tests. */
  readonly allowHosts?: ReadonlyArray<string>
  /**
   * This server's names, which are never requested: a request that waits for one to itself may
   * never end.
   */
  readonly own?: OwnNames
  /** Hosts below those names that are other servers. */
  readonly besides?: ReadonlyArray<string>
  readonly userAgent?: string
  /** Whether bodies can keep their encoding. */
  readonly keepsEncoding?: boolean
}

/**
 * Headers that callers may not set: the platform's own, and those with somebody else's credentials.
 */
const forbiddenHeaders: ReadonlySet<string> = new Set([
  "cookie",
  "host",
  "connection",
  "transfer-encoding",
  "content-length"
])

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Outgoing requests with the given `fetch`, else with this home's or the platform's. */
export const layer = (options: OutgoingOptions = {}): Layer.Layer<Outgoing> =>
  Layer.effect(
    Outgoing,
    Effect.map(HomeFetch, (home) =>
      make(home === undefined ? options : { fetch: home, ...options })
    )
  )

const make = ({
  fetch = (url, init) => globalThis.fetch(url, init),
  allowHosts = [],
  own,
  besides = [],
  userAgent = "nacre",
  keepsEncoding = isWorker
}: OutgoingOptions): Outgoing["Service"] => {
  const others = [...allowHosts, ...besides]

  const isOwn = ({ host, hostname }: URL): boolean =>
    own !== undefined &&
    isOwnHost(host, own) &&
    (host === own.host || !(others.includes(host) || others.includes(hostname)))

  const check = (input: string | URL): URL => {
    const checked = checkFetchUrl(input, allowHosts)
    if (Result.isSuccess(checked) && !isOwn(checked.success)) return checked.success
    const reason = Result.isSuccess(checked) ? "the address is this server's own" : checked.failure
    throw new OutgoingRefused({ url: shown(String(input)), reason })
  }

  const headersOf = (
    request: OutgoingRequest | OutgoingStreamRequest,
    hop: number
  ): Record<string, string> => {
    const headers: Record<string, string> = {}
    for (const [given, value] of Object.entries(hop === 0 ? (request.headers ?? {}) : {})) {
      const name = given.toLowerCase()
      if (!forbiddenHeaders.has(name)) headers[name] = value
    }
    if (request.accept !== undefined) headers["accept"] = request.accept
    headers["user-agent"] = userAgent
    return headers
  }

  const call = async (url: URL, init: RequestInit): Promise<Response> => {
    try {
      return await fetch(url.href, { ...init, redirect: "manual" })
    } catch (cause) {
      throw new OutgoingFailed({ url: shown(url.href), operation: "connect", cause })
    }
  }

  const send = async (
    first: string,
    request: OutgoingRequest,
    signal: AbortSignal
  ): Promise<OutgoingResponse> => {
    const { method = "GET", body, maxBytes, redirects = 0 } = request
    const follow = method === "GET" || method === "HEAD" ? redirects : 0
    let url = check(first)
    for (let hop = 0; ; hop += 1) {
      const headers = headersOf(request, hop)
      const init: RequestInit = { method, headers, signal, ...(body === undefined ? {} : { body }) }
      const response = await call(url, init)
      const location = response.headers.get("location")
      if (!redirectStatuses.has(response.status) || location === null) {
        return await readResponse(url, response, request.allowStatus, maxBytes)
      }
      await discard(response)
      if (hop >= follow) {
        throw new OutgoingRefused({ url: shown(url.href), reason: "too many redirects" })
      }
      const next = URL.parse(location, url)
      if (next === null) {
        throw new OutgoingRefused({ url: shown(url.href), reason: "redirect to no URL" })
      }
      url = check(next)
    }
  }

  /** The exchange outlives this call: it ends with the body, when it is aborted, or at a time limit. */
  const open = async (
    first: string,
    request: OutgoingStreamRequest,
    abort: AbortController
  ): Promise<OutgoingStream> => {
    const { method = "GET", body } = request
    const url = check(first)
    const isKept = keepsEncoding && request.keepEncoding === true
    const asked = headersOf(request, 0)
    if (request.keepEncoding === true && !isKept) asked["accept-encoding"] = "identity"
    const init = {
      method,
      headers: asked,
      signal: abort.signal,
      ...(isKept ? { encodeResponseBody: "manual" as const } : {}),
      ...(body === undefined ? {} : { body }),
      // Node requires this with a streamed body; workerd ignores it.
      ...(body instanceof ReadableStream ? { duplex: "half" } : {})
    }
    const response = await call(url, init)
    const { status } = response
    const maxBytes = limitOf(request.maxBytes, response.headers)
    await checkResponse(url, response, request.allowStatus, maxBytes)
    const headers = isKept ? response.headers : decodedHeaders(response.headers)
    if (response.body === null) return { status, headers, body: null }
    const length = isWorker ? lengthOf(headers) : undefined
    if (length !== undefined && length <= smallBody) {
      return { status, headers, body: await readSmall(response, length) }
    }
    const bodyTimeout = limitOf(request.bodyTimeout, response.headers)
    const timer = setTimeout(() => abort.abort(), bodyTimeout)
    const done = () => clearTimeout(timer)
    const passed =
      length === undefined
        ? bounded(url, response.body, maxBytes, done)
        : sized(response.body, length, done)
    return { status, headers, body: passed }
  }

  return Outgoing.of({
    request: spanned("Outgoing.request")(function* (url, request) {
      return yield* withLimit(url, request.timeout, (signal) => send(url, request, signal))
    }),
    open: spanned("Outgoing.open")(function* (url, request) {
      return yield* withLimit(url, request.timeout, (signal) => {
        const abort = new AbortController()
        const onAbort = () => abort.abort()
        signal.addEventListener("abort", onAbort, { once: true })
        const opened = open(url, request, abort)
        return opened.finally(() => signal.removeEventListener("abort", onAbort))
      })
    }),
    openNow: (url, request) => inTime(url, request.timeout, (abort) => open(url, request, abort))
  })
}

const limitOf = (limit: OutgoingLimit, headers: Headers): number =>
  typeof limit === "number" ? limit : limit(headers)

const checkResponse = async (
  url: URL,
  response: Response,
  allowStatus: OutgoingRequest["allowStatus"],
  maxBytes: number
): Promise<void> => {
  const { status } = response
  if (!response.ok && allowStatus !== "any" && allowStatus?.includes(status) !== true) {
    await discard(response)
    throw new OutgoingFailed({ url: shown(url.href), operation: "status", status })
  }
  // Only a hint: the actual size after decoding counts.
  if (Number(response.headers.get("content-length") ?? 0) > maxBytes) {
    await discard(response)
    throw tooLarge(url, maxBytes)
  }
}

const readResponse = async (
  url: URL,
  response: Response,
  allowStatus: OutgoingRequest["allowStatus"],
  maxBytes: number
): Promise<OutgoingResponse> => {
  await checkResponse(url, response, allowStatus, maxBytes)
  const chunks: Array<Uint8Array> = []
  let length = 0
  if (response.body !== null) {
    const reader = response.body.getReader()
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new OutgoingFailed({ url: shown(url.href), operation: "read", cause })
      })
      if (done) break
      length += value.length
      if (length > maxBytes) {
        await reader.cancel().catch(() => undefined)
        throw tooLarge(url, maxBytes)
      }
      chunks.push(value)
    }
  }
  const { status, headers } = response
  return { url: url.href, status, headers, body: concatBytes(chunks) }
}

const withLimit = <A>(
  url: string,
  timeout: Duration.Input,
  run: (signal: AbortSignal) => Promise<A>
): Effect.Effect<A, OutgoingError> =>
  Effect.tryPromise({ try: run, catch: (cause) => failureOf(url, cause) }).pipe(
    Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(tooSlow(url)) })
  )

/** The same as a promise, which rejects with an `OutgoingError`. */
const inTime = <A>(
  url: string,
  timeout: Duration.Input,
  run: (abort: AbortController) => Promise<A>
): Promise<A> =>
  new Promise((done, fail) => {
    const abort = new AbortController()
    const timer = setTimeout(() => {
      abort.abort()
      fail(tooSlow(url))
    }, Duration.toMillis(timeout))
    run(abort)
      .finally(() => clearTimeout(timer))
      .then(done, (cause: unknown) => fail(failureOf(url, cause)))
  })

const failureOf = (url: string, cause: unknown): OutgoingError =>
  cause instanceof OutgoingRefused || cause instanceof OutgoingFailed
    ? cause
    : new OutgoingFailed({ url: shown(url), operation: "read", cause })

const tooSlow = (url: string) => new OutgoingFailed({ url: shown(url), operation: "timeout" })
