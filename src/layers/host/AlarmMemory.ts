import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Alarm } from "../../services/host/Alarm.ts"

/** An alarm in memory, and a look at it. */
export interface MemoryAlarm {
  readonly service: Alarm["Service"]
  /** When it fires, in milliseconds. */
  armed(): number | undefined
}

/** The longest that a timer waits at once: longer waits are cut, since timers count in 32 bits. */
const longestSleep = 2 ** 31 - 1

/** An alarm by the Clock while its scope is open; `onAlarm` runs every purpose once. */
export const make = (
  onAlarm: Effect.Effect<void>
): Effect.Effect<MemoryAlarm, never, Scope.Scope> =>
  Effect.gen(function* () {
    const waiting = yield* FiberHandle.make()
    const bell = yield* Effect.scope
    let armed: number | undefined

    const wait = (time: number): Effect.Effect<void> =>
      Effect.gen(function* () {
        const left = time - (yield* Clock.currentTimeMillis)
        if (left > 0) {
          yield* Effect.sleep(Math.min(left, longestSleep))
          return yield* wait(time)
        }
        armed = undefined
        // Its work asks for the next alarm, which takes the place of this waiting fiber: it runs beside it.
        yield* onAlarm.pipe(
          Effect.catchCause((cause) => Effect.logError("the alarm's work failed", cause)),
          Effect.forkIn(bell)
        )
      })

    return {
      armed: () => armed,
      service: Alarm.of({
        by: (time) =>
          Effect.suspend(() => {
            if (armed !== undefined && armed <= time) return Effect.void
            armed = time
            return Effect.asVoid(FiberHandle.run(waiting, wait(time)))
          })
      })
    }
  })

/** Alarm in memory, for Node and tests. */
export const layer = (onAlarm: Effect.Effect<void>): Layer.Layer<Alarm> =>
  Layer.effect(Alarm, make(onAlarm).pipe(Effect.map((alarm) => alarm.service)))
