import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Alarm } from "../host/Alarm.ts"
import { BlobIndex } from "./BlobIndex.ts"
import { BlobStore } from "./BlobStore.ts"
import { Config } from "../host/Config.ts"

/** Keys deleted in one call to the store. */
const keysAStep = 500

/** Steps in one run of the alarm, which must not block the object's requests for long. */
const stepsAnAlarm = 4

/** Delay until the next sweep if there is more, or if the store failed, in milliseconds. */
const pause = 60_000

/**
 * Runs one alarm's share of the sweep: deletes unrecorded uploads and temporary blobs older than
 * `grace` (ms).
 *
 * Does nothing before a sweep is due. Returns when to run next, if at all. Rows are removed after
 * the store has deleted; if it fails, everything stays for the next run.
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

/** How long an upload without a reference is kept, in milliseconds. */
export const graceMillis = Effect.map(Config, ({ blobGraceHours }) => blobGraceHours * 3_600_000)

/** Sets the alarm for the next sweep. */
export const armSweep = Effect.gen(function* () {
  const next = (yield* BlobIndex).nextSweep(yield* graceMillis)
  if (next !== undefined) yield* (yield* Alarm).by(next)
})
