import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/**
 * The one alarm of an object: it survives a kill and wakes the object without a request.
 *
 * Several purposes share it (deliver the outbox, sweep blobs, prune the log): each asks with `by`,
 * and the earliest time wins. When it rings, the object's `alarm` runs every purpose once; each asks again for its next.
 */
export class Alarm extends Context.Service<
  Alarm,
  {
    /** Makes sure that the alarm rings at `time` (milliseconds) or before; writes only when it must move. */
    by(time: number): Effect.Effect<void>
  }
>()("nacre/services/Alarm") {}
