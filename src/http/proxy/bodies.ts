import * as Effect from "effect/Effect"
import type { OutgoingStream } from "../../services/host/Outgoing.ts"
import { PayloadTooLarge } from "../../services/failures.ts"
import { readStream } from "../input.ts"
import { Unreadable } from "./patch.ts"

/** The largest answer that is read here to be looked into, in bytes after decoding. */
export const maxRead = 10 * 1024 * 1024

/** A request's body on its way to a service, never more of it than the limit. */
export interface PassedBody {
  readonly body: ReadableStream<Uint8Array>
  /** Its length, where the caller has told it. */
  readonly length: number | undefined
  /** Whether more came than the limit lets through. */
  isOver(): boolean
}

/** The body of a request as it is handed on; one of a declared length is held to it by the platform. */
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

/** Whether headers speak of JSON. */
export const isJson = (headers: Headers): boolean =>
  jsonType.test(headers.get("content-type")?.trim() ?? "")

/** The bytes of a service's answer, decoded; the rest of one that is too large is not fetched. */
export const readAnswer = ({ body, headers }: OutgoingStream, limit: number) =>
  readStream(body, headers, limit).pipe(
    Effect.tapError(() =>
      Effect.ignore(Effect.tryPromise(() => body?.cancel() ?? Promise.resolve()))
    ),
    Effect.mapError(({ _tag }) => new Unreadable({ reason: _tag }))
  )

/** JSON out of bytes. */
export const parseJson = (bytes: Uint8Array): Effect.Effect<unknown, Unreadable> =>
  Effect.try({
    try: (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
    catch: () => new Unreadable({ reason: "not JSON" })
  })
