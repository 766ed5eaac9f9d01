import { assert, describe, it } from "@effect/vitest"
import { runInDurableObject } from "cloudflare:test"
import * as Effect from "effect/Effect"
import * as AlarmDurable from "../../src/layers/host/AlarmDurable.ts"
import { ACCOUNT } from "./workerdWorld.ts"

/** Far enough that none of these fires during the test. */
const hour = 60 * 60 * 1000

let made = 0

const check = (
  title: string,
  body: (storage: DurableObjectStorage, now: number) => Effect.Effect<void>
) =>
  it(title, () => {
    const stub = ACCOUNT.get(ACCOUNT.idFromName(`did:web:alarm-${made++}.test`))
    return runInDurableObject(stub, (_object, { storage }) =>
      Effect.runPromise(
        Effect.ensuring(
          Effect.suspend(() => body(storage, Date.now())),
          Effect.promise(() => storage.deleteAlarm())
        )
      )
    )
  })

const armed = (storage: DurableObjectStorage) => Effect.promise(() => storage.getAlarm())

describe("the alarm of a Durable Object", () => {
  check("the alarm is set for the earliest requested time", (storage, now) =>
    Effect.gen(function* () {
      const { service } = yield* Effect.promise(() => AlarmDurable.make(storage))
      assert.isNull(yield* armed(storage))
      yield* service.by(now + 3 * hour)
      assert.strictEqual(yield* armed(storage), now + 3 * hour)
      yield* service.by(now + 5 * hour)
      assert.strictEqual(yield* armed(storage), now + 3 * hour)
      yield* service.by(now + 2 * hour)
      assert.strictEqual(yield* armed(storage), now + 2 * hour)
    })
  )

  check("the alarm is set for the earliest of concurrent requests", (storage, now) =>
    Effect.gen(function* () {
      const { service } = yield* Effect.promise(() => AlarmDurable.make(storage))
      const times = [4, 2, 9, 3].map((hours) => now + hours * hour)
      yield* Effect.forEach(times, (time) => service.by(time), { concurrency: "unbounded" })
      assert.strictEqual(yield* armed(storage), now + 2 * hour)
    })
  )

  check("the alarm is known to the object after it wakes", (storage, now) =>
    Effect.gen(function* () {
      const before = yield* Effect.promise(() => AlarmDurable.make(storage))
      yield* before.service.by(now + 2 * hour)
      const awake = yield* Effect.promise(() => AlarmDurable.make(storage))
      yield* awake.service.by(now + 3 * hour)
      assert.strictEqual(yield* armed(storage), now + 2 * hour)
    })
  )

  check("the alarm can be set again after it fired, and after it was cleared", (storage, now) =>
    Effect.gen(function* () {
      const alarm = yield* Effect.promise(() => AlarmDurable.make(storage))
      yield* alarm.service.by(now + 2 * hour)
      yield* Effect.promise(() => storage.deleteAlarm())
      alarm.fired()
      yield* alarm.service.by(now + 4 * hour)
      assert.strictEqual(yield* armed(storage), now + 4 * hour)
      yield* alarm.clear
      assert.isNull(yield* armed(storage))
      yield* alarm.service.by(now + 5 * hour)
      assert.strictEqual(yield* armed(storage), now + 5 * hour)
    })
  )
})
