import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Alarm } from "../../services/host/Alarm.ts"
import { billed } from "../../services/host/SqlStorage.ts"

/** The alarm of one object, and what its `alarm` handler must tell it. */
export interface ObjectAlarm {
  readonly service: Alarm["Service"]
  /** Call first in the object's `alarm` handler: the alarm that fired is gone, the next must be asked for. */
  fired(): void
  /** Call after the storage was emptied: then no alarm is set. */
  readonly clear: Effect.Effect<void>
}

/** How late an alarm may be and still be waited for, in milliseconds. */
const overdue = 60_000

/**
 * The alarm of a Durable Object.
 *
 * When it is set is read once and remembered, so that `by` writes in the very turn of its caller:
 * what the caller stored and its alarm become durable together.
 */
export const make = (storage: DurableObjectStorage): Effect.Effect<ObjectAlarm> =>
  Effect.promise(() => storage.getAlarm()).pipe(
    Effect.map((stored) => {
      // One that should have rung long ago is not coming any more: the next `by` sets it anew.
      let armed = stored !== null && stored > Date.now() - overdue ? stored : undefined
      return {
        service: Alarm.of({
          by: (time) =>
            Effect.suspend(() => {
              if (armed !== undefined && armed <= time) return Effect.void
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
    })
  )

/** Alarm by a Durable Object's alarm that was made (`make`) when the object started. */
export const layer = (alarm: ObjectAlarm): Layer.Layer<Alarm> => Layer.succeed(Alarm, alarm.service)
