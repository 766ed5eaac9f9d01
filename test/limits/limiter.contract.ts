import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { Limiter, type RateLimit } from "../../src/services/limits/Limiter.ts"

/** A future time: an object in workerd runs a past alarm at once and sweeps expired counters. */
const start = 4_000_000_000_000

const minute: RateLimit = { limit: 3, windowSeconds: 60 }
const day: RateLimit = { limit: 5, windowSeconds: 86_400 }

const taking = (key = "sign-in alice", address = "192.0.2.1", limits = [minute]) => ({
  address,
  key,
  points: 1,
  limits
})

/** What every Limiter guarantees. */
export const limiterContract = (name: string, layer: Layer.Layer<Limiter>) => {
  const check = (
    title: string,
    body: (limiter: Limiter["Service"]) => Effect.Effect<void, unknown>
  ) =>
    it.effect(title, () =>
      Limiter.pipe(
        Effect.flatMap((limiter) => Effect.andThen(TestClock.setTime(start), body(limiter))),
        Effect.provide(Layer.fresh(layer))
      )
    )
  describe(`Limiter over ${name}`, () => {
    check("take counts down, then fails until the window ends", (limiter) =>
      Effect.gen(function* () {
        const remaining = yield* Effect.forEach([1, 2, 3], () =>
          Effect.map(limiter.take(taking()), (state) => state.remaining)
        )
        assert.deepStrictEqual(remaining, [2, 1, 0])
        yield* TestClock.adjust("20 seconds")
        const refused = yield* Effect.flip(limiter.take(taking()))
        assert.strictEqual(refused._tag, "RateLimitExceeded")
        if (refused._tag !== "RateLimitExceeded") return
        assert.strictEqual(refused.limit, 3)
        assert.strictEqual(refused.remaining, 0)
        assert.strictEqual(refused.resetAt, start + 60_000)
        assert.strictEqual(refused.retryAfter, 40)
        yield* TestClock.adjust("40 seconds")
        assert.strictEqual((yield* limiter.take(taking())).remaining, 2)
      })
    )

    check("take applies all of several limits, and a failure takes nothing", (limiter) =>
      Effect.gen(function* () {
        const both = () => limiter.take(taking("both", "192.0.2.1", [minute, day]))
        yield* Effect.forEach([1, 2, 3], both)
        yield* Effect.flip(both())
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* both()).remaining, 1)
        assert.strictEqual((yield* both()).limit, 5)
        const refused = yield* Effect.flip(both())
        assert.strictEqual(refused._tag === "RateLimitExceeded" && refused.limit, 5)
        yield* TestClock.adjust("1 day")
        assert.strictEqual((yield* both()).remaining, 2)
      })
    )

    check("take counts each key and each address separately", (limiter) =>
      Effect.gen(function* () {
        yield* Effect.forEach([1, 2, 3], () => limiter.take(taking()))
        yield* Effect.flip(limiter.take(taking()))
        assert.strictEqual((yield* limiter.take(taking("sign-in bob"))).remaining, 2)
        assert.strictEqual((yield* limiter.take(taking(undefined, "192.0.2.2"))).remaining, 2)
      })
    )

    check("zero points take nothing, but fail when none are left", (limiter) =>
      Effect.gen(function* () {
        const look = limiter.take({ ...taking(), points: 0 })
        assert.strictEqual((yield* look).remaining, 3)
        yield* limiter.take({ ...taking(), points: 3 })
        assert.strictEqual((yield* Effect.flip(look))._tag, "RateLimitExceeded")
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* look).remaining, 3)
      })
    )

    check("take takes several points at once or none of them", (limiter) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* limiter.take({ ...taking(), points: 2 })).remaining, 1)
        yield* Effect.flip(limiter.take({ ...taking(), points: 2 }))
        assert.strictEqual((yield* limiter.take(taking())).remaining, 0)
      })
    )

    check("concurrent calls can't exceed the limit", (limiter) =>
      Effect.gen(function* () {
        const outcomes = yield* Effect.forEach(
          Array.from({ length: 10 }, () => taking()),
          (one) => Effect.match(limiter.take(one), { onFailure: () => 0, onSuccess: () => 1 }),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(
          outcomes.reduce<number>((sum, one) => sum + one, 0),
          3
        )
      })
    )
  })
}
