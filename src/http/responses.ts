import type { RateLimitState } from "../services/limits/Limiter.ts"
import * as Effect from "effect/Effect"
import type { Settings } from "../services/host/Config.ts"
import { createHash } from "node:crypto"
import { notModified } from "../core/blobs/headers.ts"

/** The content type of JSON responses. */
export const jsonType = "application/json; charset=utf-8"

/** The headers of a response for one caller's credentials. */
export const privateHeaders = { "cache-control": "private", vary: "Authorization" } as const

/** The content type of plain text. */
export const textType = "text/plain; charset=utf-8"

/** The headers of a rate limit from their numbers; the last is the window in seconds. */
export const limitHeaders = (
  limit: number | string,
  remaining: number | string,
  reset: number | string,
  seconds: number | string
): Record<string, string> => ({
  "ratelimit-limit": String(limit),
  "ratelimit-remaining": String(remaining),
  "ratelimit-reset": String(reset),
  "ratelimit-policy": `${limit};w=${seconds}`
})

/** The headers with the state of a rate limit. */
export const rateLimitHeaders = (state: RateLimitState): Record<string, string> =>
  limitHeaders(state.limit, state.remaining, Math.ceil(state.resetAt / 1000), state.windowSeconds)

/** The numbers of those headers as a part of a path, empty without a limit. */
export const limitsText = (headers: Readonly<Record<string, string>>): string => {
  const limit = headers["ratelimit-limit"]
  const policy = headers["ratelimit-policy"] ?? ""
  return limit === undefined
    ? "---"
    : `${limit}-${headers["ratelimit-remaining"]}-${headers["ratelimit-reset"]}-${policy.slice(policy.indexOf("=") + 1)}`
}

/**
 * Copies another object's response to make its headers mutable; returns an upgrade
 * unchanged.
 */
export const reopened = (response: Response): Response =>
  response.status === 101 ? response : new Response(response.body, response)

/** Whether a response already varies by a header. */
const varies = ({ headers }: Response, by: string): boolean =>
  headers.get("vary")?.toLowerCase().split(/,\s*/).includes(by.toLowerCase()) === true

/** Adds missing headers to a response; appends to `Vary`. */
export const withHeaders = (
  response: Response,
  ...groups: ReadonlyArray<Readonly<Record<string, string>>>
): Response => {
  // An upgrade carries a socket and its headers are immutable; browsers don't apply CORS to it.
  if (response.status === 101) return response
  for (const headers of groups) {
    for (const name in headers) {
      if (!response.headers.has(name)) response.headers.set(name, headers[name]!)
      else if (name === "vary" && !varies(response, headers[name]!)) {
        response.headers.append(name, headers[name]!)
      }
    }
  }
  return response
}

/**
 * The response to a HEAD request; cancels the body, which releases its resources (an export's
 * snapshot).
 */
export const withoutBody = Effect.fnUntraced(function* (answer: Response) {
  const { body } = answer
  if (body === null) return answer
  yield* Effect.promise(() => body.cancel())
  return new Response(null, answer)
})

/** How long to wait for the rest of a body. */
const patience = "2 seconds"

/**
 * Reads the unread rest of a request's body, on a local server only.
 *
 * There a client is connected to the server's process itself, which cuts the connection if it
 * responds before the body's end; the client may then never see the error. In a deployment
 * Cloudflare's edge reads the body.
 */
export const finishBody = (
  request: Request,
  { isLocal }: Pick<Settings, "isLocal">
): Effect.Effect<void> => {
  if (!isLocal) return Effect.void
  const { body } = request
  // A body that is being read, or was forwarded, has another reader.
  if (body === null || body.locked) return Effect.void
  return Effect.tryPromise((signal) => body.pipeTo(new WritableStream(), { signal })).pipe(
    Effect.timeout(patience),
    Effect.ignore
  )
}

/** For public responses that only a deployment changes; a few minutes of age are acceptable. */
export const briefly = "public, max-age=300"

/** For responses that may change at any moment: caches revalidate them on each use. */
export const askedAnew = "public, max-age=0, must-revalidate"

/** How many bodies' ETags are cached. */
const etagsKept = 64

interface Version {
  readonly etag: string
  readonly given: VersionHeaders
  /** Copying them costs less than checking each one again. */
  readonly headers: Headers
}

interface VersionHeaders {
  readonly "content-type": string
  readonly "cache-control": string
}

const versions = new Map<string, Version>()

const isSame = (one: VersionHeaders, other: VersionHeaders): boolean =>
  one["content-type"] === other["content-type"] && one["cache-control"] === other["cache-control"]

/** The ETag of a body; cached, since hashing costs more than the rest of a small response. */
const versionOf = (body: string, given: VersionHeaders): Version => {
  const known = versions.get(body)
  if (known !== undefined && isSame(known.given, given)) return known
  const etag =
    known?.etag ?? `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`
  if (versions.size >= etagsKept) versions.clear()
  const made = { etag, given, headers: new Headers({ ...given, etag }) }
  versions.set(body, made)
  return made
}

/** A public response with an ETag; 304 without a body if the client has this version. */
export const versioned = (request: Request, body: string, given: VersionHeaders): Response => {
  const { etag, headers } = versionOf(body, given)
  return notModified(request.headers.get("if-none-match"), etag)
    ? new Response(null, {
        status: 304,
        headers: { etag, "cache-control": given["cache-control"] }
      })
    : new Response(body, { headers })
}
