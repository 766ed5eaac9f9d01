import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  type AddressLimit,
  AddressLimits,
  exceededBy,
  type Taken,
  takeFrom,
  type Windows
} from "../../services/limits/Limiter.ts"
import { rules } from "../../services/limits/rules.ts"

/**
 * General limits in a map of at most `capacity` counters.
 *
 * Drops the counters that were updated longest ago, so busy addresses stay.
 */
export const layer = (capacity = 10_000): Layer.Layer<AddressLimits> =>
  Layer.sync(AddressLimits, () => {
    const counters = new Map<string, Windows>()
    const keep = (name: string, windows: Windows) => {
      counters.delete(name)
      if (counters.size >= capacity) {
        for (const oldest of counters.keys()) {
          counters.delete(oldest)
          break
        }
      }
      counters.set(name, windows)
    }
    const taken = (address: string, which: AddressLimit, points: number, now: number): Taken => {
      const name = `${which} ${address}`
      const outcome = takeFrom(counters.get(name), points, rules[which].windows, now)
      if ("windows" in outcome) keep(name, outcome.windows)
      return outcome
    }
    return AddressLimits.of({
      take: Effect.fnUntraced(function* (address: string, which: AddressLimit, points = 1) {
        const now = yield* Clock.currentTimeMillis
        const outcome = taken(address, which, points, now)
        return "exceeded" in outcome ? yield* exceededBy(outcome.exceeded, now) : outcome.state
      }),
      count: (address, which, points = 1) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const outcome = taken(address, which, points, now)
          return "exceeded" in outcome ? outcome.exceeded : outcome.state
        })
    })
  })
