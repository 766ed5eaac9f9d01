import * as Effect from "effect/Effect"
import type { OutgoingStream } from "../../services/host/Outgoing.ts"
import { PayloadTooLarge } from "../../services/failures.ts"
import { readStream } from "../input.ts"
import { Unreadable } from "./patch.ts"

/** The largest response that is parsed here, in bytes after decoding. */
export const maxRead = 10 * 1024 * 1024

/** A request's body on its way to a service, up to the limit. */
export interface PassedBody {
  readonly body: ReadableStream<Uint8Array>
  /** Its length, if the caller declared it. */
  readonly length: number | undefined
  /** Whether the body exceeded the limit. */
  isOver(): boolean
}

/** The body of a forwarded request; the platform enforces a declared length. */
export const passBody = Effect.fnUntraced(function* (request: Request, limit: number) {
  const { body, headers } = request
  if (request.method !== "POST" || body === null) return undefined
  const declared = headers.get("content-length")
  if (declared !== null) {
    const length = Number(declared)
    if (!(length <= limit)) return yield* new PayloadTooLarge({ limit })
    const passed: PassedBody = { body, length, isOver: () => false }
    return passed
  }
  let length = 0
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      length += chunk.byteLength
      if (length > limit) controller.error(new Error("the body is too large"))
      else controller.enqueue(chunk)
    }
  })
  const passed: PassedBody = {
    body: body.pipeThrough(counted),
    length: undefined,
    isOver: () => length > limit
  }
  return passed
})

const jsonType = /^application\/(?:[\w.-]+\+)?json\b/i

/** Whether the headers declare JSON. */
export const isJson = (headers: Headers): boolean =>
  jsonType.test(headers.get("content-type")?.trim() ?? "")

/** The decoded bytes of a service's response; doesn't fetch the rest if it is too large. */
export const readAnswer = ({ body, headers }: OutgoingStream, limit: number) =>
  readStream(body, headers, limit).pipe(
    Effect.tapError(() =>
      Effect.ignore(Effect.tryPromise(() => body?.cancel() ?? Promise.resolve()))
    ),
    Effect.mapError(({ _tag }) => new Unreadable({ reason: _tag }))
  )

/** Parses JSON. */
export const parseJson = (bytes: Uint8Array): Effect.Effect<unknown, Unreadable> =>
  Effect.try({
    try: (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
    catch: () => new Unreadable({ reason: "not JSON" })
  })
