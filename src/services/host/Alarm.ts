import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/**
 * An object's only alarm, which survives a crash and wakes the object without a request.
 *
 * Several purposes share it (deliver the outbox, sweep blobs, prune the log): each requests a time
 * with `by`, and the earliest wins. When it fires, the object's `alarm` runs every purpose once,
 * and each requests its next time.
 */
export class Alarm extends Context.Service<
  Alarm,
  {
    /**
     * Makes sure that the alarm fires at `time` (milliseconds) or before; writes only to move it.
     */
    by(time: number): Effect.Effect<void>
    /** Whether it is set to fire at `time` or before. */
    isSetBy(time: number): boolean
  }
>()("nacre/services/Alarm") {}
