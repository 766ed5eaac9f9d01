import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Alarm } from "../../services/host/Alarm.ts"
import { billed } from "../../services/host/SqlStorage.ts"

/** An object's alarm, and what its `alarm` handler must report to it. */
export interface ObjectAlarm {
  readonly service: Alarm["Service"]
  /**
   * Call first in the object's `alarm` handler: the alarm that fired is cleared, and the next must
   * be requested.
   */
  fired(): void
  /** Call after the storage was deleted, which clears the alarm. */
  readonly clear: Effect.Effect<void>
}

/** How late an alarm may be before it counts as lost, in milliseconds. */
const overdue = 60_000

/**
 * The alarm of a Durable Object, whose stored time is read once.
 *
 * It is remembered, so `by` writes in its caller's turn: what the caller stored and the alarm
 * become durable together.
 */
export const make = async (storage: DurableObjectStorage): Promise<ObjectAlarm> => {
  const stored = await storage.getAlarm()
  // A long overdue alarm is lost, so the next `by` sets it again.
  let armed = stored !== null && stored > Date.now() - overdue ? stored : undefined
  const isSetBy = (time: number) => armed !== undefined && armed <= time
  return {
    service: Alarm.of({
      isSetBy,
      by: (time) =>
        Effect.suspend(() => {
          if (isSetBy(time)) return Effect.void
          armed = time
          billed.rows += 1
          return Effect.promise(() => storage.setAlarm(time))
        })
    }),
    fired: () => {
      armed = undefined
    },
    clear: Effect.suspend(() => {
      armed = undefined
      return Effect.promise(() => storage.deleteAlarm())
    })
  }
}

/** The alarm of a Durable Object, created with `make` when the object started. */
export const layer = (alarm: ObjectAlarm): Layer.Layer<Alarm> => Layer.succeed(Alarm, alarm.service)
