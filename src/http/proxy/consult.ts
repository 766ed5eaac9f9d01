import * as Effect from "effect/Effect"
import type { OutgoingStream } from "../../services/host/Outgoing.ts"
import { UpstreamFailed } from "../../services/proxy/ProxyTargets.ts"
import { jsonType } from "../responses.ts"
import { isJson, maxRead, parseJson, readAnswer } from "./bodies.ts"
import { headersDown } from "./headers.ts"
import type { Patch, Patchable, Patched } from "./patch.ts"
import { spanned } from "../../services/operators/spanned.ts"

const patchedAnswer = ({ headers }: OutgoingStream, { body, headers: more }: Patched): Response => {
  const answer = new Response(JSON.stringify(body), { headers: headersDown(headers, "changed") })
  answer.headers.set("content-type", jsonType)
  // The upstream's version identifiers don't describe the patched response.
  for (const name of ["etag", "last-modified"]) answer.headers.delete(name)
  for (const [name, value] of Object.entries(more ?? {})) answer.headers.set(name, value)
  return answer
}

/** The original response, rebuilt after it was read. */
const unread = ({ status, headers: given }: OutgoingStream, bytes: Uint8Array) => {
  const headers = new Headers(given)
  headers.delete("content-encoding")
  headers.set("content-length", String(bytes.byteLength))
  return {
    status,
    headers,
    body: new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
  } satisfies OutgoingStream
}

/** The request that a response answers. */
export type About = Omit<Patchable, "json" | "status" | "headers">

/** Passes a response to a patch; returns the patched response, or the original. */
export const consult = spanned("proxy.consult")(function* (
  patch: Patch,
  about: About,
  answer: OutgoingStream
) {
  const { status, headers } = answer
  if (!isJson(headers) || (status !== 200 && (status < 400 || status >= 500))) return answer
  let isRead = false
  const bytes = yield* Effect.cached(
    Effect.suspend(() => {
      isRead = true
      return readAnswer(answer, maxRead)
    })
  )
  const json = yield* Effect.cached(Effect.flatMap(bytes, parseJson))
  const patched = yield* patch({ ...about, status, headers, json }).pipe(
    // Some JSON can be parsed but is nested too deeply to be written.
    Effect.flatMap((made) =>
      Effect.try(() => (made === undefined ? undefined : patchedAnswer(answer, made)))
    ),
    Effect.catchCause((cause) =>
      Effect.as(Effect.logDebug("answer left as it came", cause), undefined)
    )
  )
  if (patched !== undefined) return patched
  if (!isRead) return answer
  return yield* bytes.pipe(
    Effect.map((read) => unread(answer, read)),
    Effect.mapError(() => new UpstreamFailed({ reason: "refused" }))
  )
})
