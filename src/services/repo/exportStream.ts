import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Background } from "../host/Background.ts"
import { sizedStream } from "../host/sizedStream.ts"

/** Bytes sent between two pauses for other requests: a few milliseconds of work. */
const stride = 256 * 1024

/** How long a reader may take for a chunk. */
const patience = "60 seconds"

/** The client went away, or read nothing for too long. */
class ReaderGone extends Schema.TaggedError<ReaderGone>()("ReaderGone", {
  cause: Schema.Defect()
}) {}

const reading = <A>(step: () => Promise<A>) =>
  Effect.tryPromise({ try: step, catch: (cause) => new ReaderGone({ cause }) }).pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.fail(new ReaderGone({ cause: "it read nothing" }))
    })
  )

const send = Effect.fnUntraced(function* (
  chunks: Iterable<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>
) {
  let sent = 0
  for (const chunk of chunks) {
    yield* reading(() => writer.write(chunk))
    sent += chunk.byteLength
    if (sent < stride) continue
    sent = 0
    yield* Effect.yieldNow
  }
  yield* reading(() => writer.close())
})

/**
 * Streams the chunks of an export, `length` bytes in all, as the client reads them; a failure breaks the transfer.
 *
 * Calls `close` once, however the export ends.
 */
export const exportStream = Effect.fnUntraced(function* (
  length: number,
  chunks: Iterable<Uint8Array>,
  close: () => void
) {
  const { readable, writable } = sizedStream(length)
  const writer = writable.getWriter()
  const sending = send(chunks, writer).pipe(
    Effect.tapCause((cause) =>
      Effect.ignore(Effect.tryPromise(() => writer.abort(Cause.squash(cause))))
    ),
    Effect.catchTag("ReaderGone", ({ cause }) =>
      Effect.logDebug("nobody reads the export on", cause)
    ),
    Effect.ensuring(Effect.sync(close))
  )
  const background = yield* Background
  yield* background.run(sending)
  return readable
})
