import type { RateLimitState } from "../services/limits/Limiter.ts"

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
