import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import type * as Scope from "effect/Scope"
import { Alarm } from "../../services/host/Alarm.ts"

/** An in-memory alarm, and its state. */
export interface MemoryAlarm {
  readonly service: Alarm["Service"]
  /** When it fires, in milliseconds. */
  armed(): number | undefined
}

/** The longest single wait: timers have 32 bits, so longer waits are split. */
const longestSleep = 2 ** 31 - 1

/** An alarm that uses the Clock while its scope is open; `onAlarm` runs every purpose once. */
export const make = (
  onAlarm: Effect.Effect<void>
): Effect.Effect<MemoryAlarm, never, Scope.Scope> =>
  Effect.gen(function* () {
    const waiting = yield* FiberHandle.make()
    const bell = yield* Effect.scope
    let armed: number | undefined
    const isSetBy = (time: number) => armed !== undefined && armed <= time

    const wait = (time: number): Effect.Effect<void> =>
      Effect.gen(function* () {
        const left = time - (yield* Clock.currentTimeMillis)
        if (left > 0) {
          yield* Effect.sleep(Math.min(left, longestSleep))
          return yield* wait(time)
        }
        armed = undefined
        // The handler requests the next alarm, which replaces this waiting fiber, so it runs
        // separately.
        yield* onAlarm.pipe(
          Effect.catchCause((cause) => Effect.logError("the alarm's work failed", cause)),
          Effect.forkIn(bell)
        )
      })

    return {
      armed: () => armed,
      service: Alarm.of({
        isSetBy,
        by: (time) =>
          Effect.suspend(() => {
            if (isSetBy(time)) return Effect.void
            armed = time
            return Effect.asVoid(FiberHandle.run(waiting, wait(time)))
          })
      })
    }
  })
