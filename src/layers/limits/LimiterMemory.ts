import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  exceededBy,
  Limiter,
  takeFrom,
  type Taking,
  type Windows
} from "../../services/limits/Limiter.ts"

/** The most counters; drops the one updated longest ago. */
const capacity = 100_000

/** The limiter in this process, for the server on Node and for tests. */
export const layer: Layer.Layer<Limiter> = Layer.sync(Limiter, () => {
  const counters = new Map<string, Windows>()
  return Limiter.of({
    take: Effect.fn("Limiter.take")(function* ({ address, key, points, limits }: Taking) {
      const now = yield* Clock.currentTimeMillis
      const name = JSON.stringify([address, key])
      const taken = takeFrom(counters.get(name), points, limits, now)
      if ("exceeded" in taken) return yield* exceededBy(taken.exceeded, now)
      counters.delete(name)
      counters.set(name, taken.windows)
      if (counters.size > capacity) counters.delete(counters.keys().next().value ?? name)
      return taken.state
    })
  })
})
