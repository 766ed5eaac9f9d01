import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as AlarmMemory from "../../src/layers/host/AlarmMemory.ts"
import * as BackgroundDurable from "../../src/layers/host/BackgroundDurable.ts"
import * as BackgroundMemory from "../../src/layers/host/BackgroundMemory.ts"
import { Background } from "../../src/services/host/Background.ts"

/** An in-memory alarm that records when it fires, and requests the next with `after`. */
const ringing = Effect.fnUntraced(function* (
  after: (alarm: AlarmMemory.MemoryAlarm, now: number) => Effect.Effect<void> = () => Effect.void
) {
  const rung: Array<number> = []
  const alarm: AlarmMemory.MemoryAlarm = yield* AlarmMemory.make(
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      rung.push(now)
      return after(alarm, now)
    })
  )
  return { rung, alarm, by: alarm.service.by }
})

describe("the in-memory alarm", () => {
  it.effect("the alarm fires once, at the earliest requested time", () =>
    Effect.gen(function* () {
      const { rung, alarm, by } = yield* ringing()
      yield* by(5000)
      yield* by(2000)
      yield* by(9000)
      assert.strictEqual(alarm.armed(), 2000)
      yield* TestClock.adjust(1999)
      assert.deepStrictEqual(rung, [])
      yield* TestClock.adjust(20_000)
      assert.deepStrictEqual(rung, [2000])
      assert.isUndefined(alarm.armed())
    })
  )

  it.effect("the alarm fires again when its work requests it, even if the work then fails", () =>
    Effect.gen(function* () {
      const { rung, by } = yield* ringing((alarm, now) =>
        now < 3000
          ? Effect.andThen(alarm.service.by(now + 1000), Effect.die(new Error("the work failed")))
          : Effect.void
      )
      yield* by(1000)
      yield* TestClock.adjust(10_000)
      assert.deepStrictEqual(rung, [1000, 2000, 3000])
    })
  )

  it.effect("the alarm fires at once for a past time, and after months for a distant one", () =>
    Effect.gen(function* () {
      const { rung, by } = yield* ringing()
      yield* TestClock.adjust(1000)
      yield* by(500)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(rung, [1000])
      const far = 90 * 24 * 60 * 60 * 1000
      yield* by(far)
      yield* TestClock.adjust(far - 1001)
      assert.strictEqual(rung.length, 1)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(rung, [1000, far])
    })
  )
})

describe("Background", () => {
  it.effect(
    "background work in memory doesn't block its caller, survives failures, and can be awaited",
    () =>
      Effect.gen(function* () {
        const background = yield* BackgroundMemory.make
        const gate = yield* Deferred.make<void>()
        const done: Array<string> = []
        const note = (name: string) => Effect.sync(() => void done.push(name))
        yield* background.service.run(Effect.andThen(Deferred.await(gate), note("slow")))
        yield* background.service.run(Effect.die(new Error("broken")))
        yield* background.service.run(note("quick"))
        assert.notInclude(done, "slow")
        yield* Deferred.succeed(gate, undefined)
        yield* background.idle
        assert.deepStrictEqual(done.toSorted(), ["quick", "slow"])
      })
  )

  it.effect("background work on the platform goes to waitUntil, and a failure doesn't reject", () =>
    Effect.gen(function* () {
      const kept: Array<Promise<unknown>> = []
      const layer = BackgroundDurable.layer({ waitUntil: (promise) => void kept.push(promise) })
      const background = yield* Effect.provide(Background, layer)
      let ran = false
      yield* background.run(Effect.sync(() => void (ran = true)))
      yield* background.run(Effect.die(new Error("broken")))
      assert.strictEqual(kept.length, 2)
      yield* Effect.promise(() => Promise.all(kept))
      assert.isTrue(ran)
    })
  )
})
