import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { rayOf, requestIdHeader } from "../services/host/RequestId.ts"
import { jsonObject } from "../core/bytes/jsonObject.ts"

/** A request's id: Cloudflare's ray, else a new one. A client's own id is untrusted. */
export const newRequestId = ({ headers }: Request): string => rayOf(headers) ?? randomUUID()

/** Whether a response is a JSON error of the server, whose body contains the id too. */
const holdsId = (response: Response): boolean =>
  response.status >= 500 &&
  response.body !== null &&
  !response.headers.has("content-encoding") &&
  response.headers.get("content-type")?.startsWith("application/json") === true

/**
 * Adds the request's id to a response: in `x-request-id`, and as `requestId` in the body of an
 * error from 500 up.
 *
 * An upgrade stays unchanged, because its headers are immutable.
 */
export const withRequestId = (response: Response, id: string): Effect.Effect<Response> =>
  holdsId(response) ? withIdInBody(response, id) : Effect.succeed(marked(response, id))

/** Adds the request's id to a response that isn't an error from 500 up. */
export const marked = (response: Response, id: string): Response => {
  if (response.status !== 101) response.headers.set(requestIdHeader, id)
  return response
}

const withIdInBody = Effect.fnUntraced(function* (response: Response, id: string) {
  const bytes = new Uint8Array(yield* Effect.promise(() => response.arrayBuffer()))
  const error = jsonObject(bytes)
  const headers = new Headers(response.headers)
  headers.delete("content-length")
  headers.set(requestIdHeader, id)
  const { status } = response
  const body = error === undefined ? bytes : JSON.stringify({ ...error, requestId: id })
  return new Response(body, { status, headers })
})
