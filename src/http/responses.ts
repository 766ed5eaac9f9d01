import type { RateLimitState } from "../services/limits/Limiter.ts"
import * as Effect from "effect/Effect"
import { Config } from "../services/host/Config.ts"
import { createHash } from "node:crypto"
import { notModified } from "../core/blobs/headers.ts"

/** The content type of every answer in JSON. */
export const jsonType = "application/json; charset=utf-8"

/** The headers of an answer that was given to one caller's credentials. */
export const privateHeaders = { "cache-control": "private", vary: "Authorization" } as const

/** The content type of plain text. */
export const textType = "text/plain; charset=utf-8"

/** The headers that tell a client how much of a limit is left. */
export const rateLimitHeaders = (state: RateLimitState): Record<string, string> => ({
  "ratelimit-limit": String(state.limit),
  "ratelimit-remaining": String(state.remaining),
  "ratelimit-reset": String(Math.ceil(state.resetAt / 1000)),
  "ratelimit-policy": `${state.limit};w=${state.windowSeconds}`
})

/** An answer of another object once more, so that its headers can be added to; an upgrade stays as it is. */
export const reopened = (response: Response): Response =>
  response.status === 101 ? response : new Response(response.body, response)

/** Whether an answer says already that it varies by this. */
const varies = ({ headers }: Response, by: string): boolean =>
  headers.get("vary")?.toLowerCase().split(/,\s*/).includes(by.toLowerCase()) === true

/** Adds headers to an answer, where it has not its own; `Vary` is added to. */
export const withHeaders = (
  response: Response,
  ...groups: ReadonlyArray<Readonly<Record<string, string>>>
): Response => {
  // An upgrade carries a socket and its headers are closed; browsers do not ask CORS of it.
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

/** The answer to a HEAD: nobody reads its body, so what that holds open (an export's snapshot) is closed. */
export const withoutBody = Effect.fnUntraced(function* (answer: Response) {
  const { body } = answer
  if (body === null) return answer
  yield* Effect.promise(() => body.cancel())
  return new Response(null, answer)
})

/** How long the rest of a body is waited for. */
const patience = "2 seconds"

/**
 * Reads away what nobody has read of a request's body: on this machine only.
 *
 * There the client speaks to the server process itself, which cuts the connection when it answers in the middle of a
 * body: the client may then never see why it was refused. In front of a deployment Cloudflare's edge takes the body.
 */
export const finishBody = Effect.fnUntraced(function* ({ body }: Request) {
  const { isLocal } = yield* Config
  // A body that is being read, or was handed on, is somebody else's to finish.
  if (!isLocal || body === null || body.locked) return
  yield* Effect.tryPromise((signal) => body.pipeTo(new WritableStream(), { signal })).pipe(
    Effect.timeout(patience),
    Effect.ignore
  )
})

/** What everybody is told alike, and what only a deployment changes: a few minutes old is new enough. */
export const briefly = "public, max-age=300"

/** What may be otherwise the next moment: whoever keeps it asks each time whether it still holds. */
export const askedAnew = "public, max-age=0, must-revalidate"

/** The most bodies whose ETag is remembered. */
const etagsKept = 64

const etags = new Map<string, string>()

/** The ETag of a body: hashing costs more than all the rest of a small answer, and few bodies are asked for often. */
const etagOf = (body: string): string => {
  const known = etags.get(body)
  if (known !== undefined) return known
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`
  if (etags.size >= etagsKept) etags.clear()
  etags.set(body, etag)
  return etag
}

/** An answer for everybody under a version of its own; whoever has this version gets no body. */
export const versioned = (
  request: Request,
  body: string,
  headers: { readonly "content-type": string; readonly "cache-control": string }
): Response => {
  const etag = etagOf(body)
  return notModified(request.headers.get("if-none-match"), etag)
    ? new Response(null, {
        status: 304,
        headers: { etag, "cache-control": headers["cache-control"] }
      })
    : new Response(body, { headers: { ...headers, etag } })
}
