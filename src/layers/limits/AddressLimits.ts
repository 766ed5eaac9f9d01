import * as Layer from "effect/Layer"
import { AddressLimits, takeFrom, type Windows } from "../../services/limits/Limiter.ts"
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
    return AddressLimits.of({
      take: (address, which, now, points = 1) => {
        const name = `${which} ${address}`
        const outcome = takeFrom(counters.get(name), points, rules[which].windows, now)
        if ("windows" in outcome) keep(name, outcome.windows)
        return outcome
      }
    })
  })
