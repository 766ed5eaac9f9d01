import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Background } from "../host/Background.ts"
import { sizedStream } from "../host/sizedStream.ts"
import { type ExportLease, type Exporting, isolateExports } from "./exportLeases.ts"

/**
 * Bytes sent between two pauses for other requests: some 5 ms of work, while a pause costs workerd
 * 2 ms.
 */
const stride = 768 * 1024

/** How long a reader may stall, in milliseconds, and how often that is checked. */
const patience = 60_000
const look = "5 seconds"

/** Too many exports run at once. */
export class ExportsBusy extends Schema.TaggedError<ExportsBusy>()("ExportsBusy", {
  retryAfterSeconds: Schema.Int
}) {
  override get message(): string {
    return "Too many exports are running, try again later"
  }
}

/** The client disconnected or reads too slowly. */
class ReaderGone extends Schema.TaggedError<ReaderGone>()("ReaderGone", {
  cause: Schema.Defect()
}) {}

/** An export's response body. */
export interface ExportBody {
  /** Total length, in bytes. */
  readonly length: number
  readonly chunks: Iterable<Uint8Array>
  /** Called once, however the export ends. */
  close(): void
}

const reading = <A>(step: () => Promise<A>) =>
  Effect.tryPromise({ try: step, catch: (cause) => new ReaderGone({ cause }) })

const send = Effect.fnUntraced(function* (
  chunks: Iterable<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  lease: ExportLease
) {
  let sent = 0
  for (const chunk of chunks) {
    yield* reading(() => writer.write(chunk))
    isolateExports.passed(lease, chunk.byteLength, yield* Clock.currentTimeMillis)
    sent += chunk.byteLength
    if (sent < stride) continue
    sent = 0
    yield* Effect.yieldNow
  }
  yield* reading(() => writer.close())
})

/** Fails once the reader stalls for too long, or another export took its place. */
const watch = Effect.fnUntraced(function* (lease: ExportLease) {
  while (true) {
    yield* Effect.sleep(look)
    const now = yield* Clock.currentTimeMillis
    if (lease.isRevoked || now - lease.touched > patience) {
      return yield* new ReaderGone({ cause: "it reads too slowly" })
    }
  }
})

const stream = Effect.fnUntraced(function* (lease: ExportLease, body: ExportBody) {
  const { length, chunks, close } = body
  const { readable, writable } = sizedStream(length)
  const writer = writable.getWriter()
  const sending = Effect.raceFirst(send(chunks, writer, lease), watch(lease)).pipe(
    Effect.tapCause((cause) =>
      Effect.ignore(Effect.tryPromise(() => writer.abort(Cause.squash(cause))))
    ),
    Effect.catchTag("ReaderGone", ({ cause }) =>
      Effect.logDebug("nobody reads the export on", cause)
    ),
    Effect.ensuring(
      Effect.sync(() => {
        isolateExports.end(lease)
        close()
      })
    )
  )
  yield* (yield* Background).run(sending)
  return { readable, length }
})

/**
 * Streams an export at the client's pace; a failure aborts the transfer.
 *
 * Fails with ExportsBusy, before `prepare` runs, if too many exports are running.
 */
export const exportStream = Effect.fnUntraced(function* <E, R>(
  who: Exporting,
  prepare: Effect.Effect<ExportBody, E, R>
) {
  const lease = isolateExports.take(who, yield* Clock.currentTimeMillis)
  if (lease === undefined) return yield* new ExportsBusy({ retryAfterSeconds: 10 })
  const body = yield* Effect.onError(prepare, () => Effect.sync(() => isolateExports.end(lease)))
  return yield* stream(lease, body)
})
