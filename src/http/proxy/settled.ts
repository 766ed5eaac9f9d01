import * as Effect from "effect/Effect"
import { concatBytes } from "../../core/bytes/bytes.ts"
import type { OutgoingStream } from "../../services/host/Outgoing.ts"
import { UpstreamFailed } from "../../services/proxy/ProxyTargets.ts"
import { spanned } from "../../services/operators/spanned.ts"

/** How many bytes of a response without a length are read before it is passed on. */
const maxSettled = 1024 * 1024

/** Types that clients read incrementally, from responses that may never end. */
const liveTypes = new Set([
  "text/event-stream",
  "application/jsonl",
  "application/x-ndjson",
  "application/json-seq",
  "multipart/x-mixed-replace"
])

const isLive = (headers: Headers): boolean => {
  const [type = ""] = (headers.get("content-type") ?? "").split(";", 1)
  return liveTypes.has(type.trim().toLowerCase())
}

/** The pieces that were read, then the rest of a stream. */
const resumed = (
  pieces: Array<Uint8Array>,
  reader: ReadableStreamDefaultReader<Uint8Array>
): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const piece = pieces.shift()
        if (piece !== undefined) return controller.enqueue(piece)
        return reader.read().then((next) => {
          if (next.done) controller.close()
          else controller.enqueue(next.value)
        })
      },
      cancel: (reason) => reader.cancel(reason)
    },
    { highWaterMark: 0 }
  )

/** Whether a response can be passed on as it is. */
export const isSettled = ({ headers, body }: OutgoingStream): boolean =>
  body === null || headers.has("content-length") || isLive(headers)

/**
 * A response that a client cannot mistake for complete when it broke off.
 *
 * One of unknown length is read before it is passed on, so it gets a length or fails. A longer one
 * streams, and so does a live one: if these break off, workerd ends them as if they were complete.
 */
export const settled = spanned("proxy.settled")(function* (answer: OutgoingStream) {
  const { status, headers: given, body } = answer
  if (body === null || isSettled(answer)) return answer
  const reader = body.getReader()
  const pieces: Array<Uint8Array> = []
  let length = 0
  while (length <= maxSettled) {
    const next = yield* Effect.tryPromise({
      try: () => reader.read(),
      catch: () => new UpstreamFailed({ reason: "unreachable" })
    })
    if (next.done) {
      const headers = new Headers(given)
      headers.set("content-length", String(length))
      const whole = new Blob([concatBytes(pieces)]).stream()
      return { status, headers, body: whole } satisfies OutgoingStream
    }
    pieces.push(next.value)
    length += next.value.byteLength
  }
  return { status, headers: given, body: resumed(pieces, reader) } satisfies OutgoingStream
})
