import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Alarm } from "../host/Alarm.ts"
import { BlobIndex } from "./BlobIndex.ts"
import { BlobStore } from "./BlobStore.ts"
import { Config } from "../host/Config.ts"

/** Keys deleted in one call of the store. */
const keysAStep = 500

/** Steps of one ringing of the alarm: the object must not be kept from its requests. */
const stepsAnAlarm = 4

/** How soon a sweep comes back when there is more, or when the store failed, ms. */
const pause = 60_000

/**
 * One ringing's worth of sweeping: deletes uploads that were never recorded and temporary blobs past `grace` (ms).
 *
 * Does nothing before a sweep is due. Answers when to ring again, if ever. Rows go after the store has deleted; when
 * it fails, everything stays for the next time.
 */
export const sweepBlobs = Effect.fn("sweepBlobs")(function* (grace: number) {
  const index = yield* BlobIndex
  const store = yield* BlobStore
  const now = yield* Clock.currentTimeMillis
  const due = index.nextSweep(grace)
  if (due === undefined || due > now) return due
  /** Whether there may be more. */
  const step = Effect.suspend(() => {
    const keys = index.sweep(now, grace, keysAStep)
    return Effect.map(store.delete(keys), () => {
      index.swept(keys)
      return keys.length === keysAStep
    })
  })
  const isDone = yield* Effect.gen(function* () {
    for (let taken = 0; taken < stepsAnAlarm; taken++) if (!(yield* step)) return true
    return false
  }).pipe(
    Effect.catch((failure) =>
      Effect.as(Effect.logWarning("blobs could not be swept", failure), false)
    )
  )
  if (!isDone) return now + pause
  index.restSweep(now, grace)
  return index.nextSweep(grace)
})

/** How long an upload that no record refers to is kept, ms. */
export const graceMillis = Effect.map(Config, ({ blobGraceHours }) => blobGraceHours * 3_600_000)

/** Lets the alarm ring when there will be something to sweep. */
export const armSweep = Effect.gen(function* () {
  const next = (yield* BlobIndex).nextSweep(yield* graceMillis)
  if (next !== undefined) yield* (yield* Alarm).by(next)
})
