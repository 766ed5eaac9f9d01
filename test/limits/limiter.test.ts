import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as AddressLimitsLayer from "../../src/layers/limits/AddressLimits.ts"
import * as LimiterMemory from "../../src/layers/limits/LimiterMemory.ts"
import * as LimiterObject from "../../src/layers/objects/Limiter.ts"
import { make, open } from "../../src/layers/host/sql/SqlStorageNode.ts"
import { AddressLimits, Limiter, type Taken } from "../../src/services/limits/Limiter.ts"
import { limiterContract } from "./limiter.contract.ts"

const masterKey = Redacted.make(new Uint8Array(32).fill(7))

const makeObject = () => {
  const alarms: Array<number> = []
  const object = LimiterObject.makeObject(make(open(":memory:")), {
    get: () => Promise.resolve(alarms.at(-1) ?? null),
    set: (time) => Promise.resolve(void alarms.push(time))
  })
  return { alarms, object }
}

limiterContract("memory", LimiterMemory.layer)

limiterContract(
  "objects",
  Layer.suspend(() => {
    const objects = new Map<string, LimiterObject.LimiterStub>()
    return LimiterObject.layer((shard) => {
      const object = objects.get(shard) ?? makeObject().object
      objects.set(shard, object)
      return object
    }, masterKey)
  })
)

describe("the Limiter object", () => {
  const limits = [{ limit: 1, windowSeconds: 7200 }]

  it("the alarm sweeps expired counters, and is set only while some are left", async () => {
    const { alarms, object } = makeObject()
    await object.take({ key: "a", points: 1, limits, now: 0 })
    await object.take({ key: "b", points: 1, limits, now: 1000 })
    assert.deepStrictEqual(alarms, [3_600_000])
    await object.prune(3_600_000)
    assert.strictEqual(object.counters(), 2)
    await object.prune(7_200_000)
    assert.strictEqual(object.counters(), 1)
    await object.prune(10_800_000)
    assert.strictEqual(object.counters(), 0)
    assert.strictEqual(alarms.length, 3)
  })

  it("a bucket holds a few counters, and drops those that end first", async () => {
    const { object } = makeObject()
    const take = (key: string, now: number) => object.take({ key, points: 1, limits, now })
    for (let at = 0; at < LimiterObject.perBucket + 4; at++) await take(`AB${at}`, at)
    await take("BA", 0)
    assert.strictEqual(object.counters(), LimiterObject.perBucket + 1)
    assert.property(await take(`AB${LimiterObject.perBucket}`, 100), "exceeded")
    assert.property(await take("AB0", 100), "state")
  })

  it("the Limiter is sharded by address and gets only hashed keys", () => {
    const shards = new Set<string>()
    const keys: Array<string> = []
    const layer = LimiterObject.layer((shard) => {
      shards.add(shard)
      return {
        take: ({ key }) => {
          keys.push(key)
          return Promise.resolve({
            state: { limit: 1, windowSeconds: 1, remaining: 0, resetAt: 0 }
          })
        }
      }
    }, masterKey)
    const takeAll = Limiter.pipe(
      Effect.flatMap((limiter) =>
        Effect.forEach(Array.from({ length: 500 }), (_, n) =>
          limiter.take({ address: `192.0.2.${n}`, key: "alice@mail.test", points: 1, limits })
        )
      ),
      Effect.provide(layer)
    )
    return Effect.runPromise(takeAll).then(() => {
      assert.isAbove(shards.size, 50)
      assert.isAtMost(shards.size, 64)
      assert.strictEqual(new Set(keys).size, 500)
      for (const key of keys) assert.notInclude(key, "alice")
    })
  })

  it.effect("an unreachable Limiter rejects everyone", () =>
    Effect.gen(function* () {
      const layer = LimiterObject.layer(
        () => ({ take: () => Promise.reject(new Error("gone")) }),
        masterKey
      )
      const refused = yield* Limiter.pipe(
        Effect.flatMap((limiter) =>
          limiter.take({ address: "192.0.2.1", key: "k", points: 1, limits })
        ),
        Effect.flip,
        Effect.provide(layer)
      )
      assert.strictEqual(refused._tag, "LimiterUnavailable")
    })
  )
})

describe("AddressLimits", () => {
  const remaining = (taken: Taken) => ("state" in taken ? taken.state.remaining : undefined)

  it.effect("an address gets 3,000 requests in 5 minutes, plus 6,000 of getRepo", () =>
    Effect.gen(function* () {
      const limits = yield* AddressLimits
      for (let n = 0; n < 3000; n++) limits.take("192.0.2.1", "general", 0)
      const refused = limits.take("192.0.2.1", "general", 0)
      assert.strictEqual("exceeded" in refused && refused.exceeded.limit, 3000)
      assert.strictEqual(remaining(limits.take("192.0.2.1", "getRepo", 0)), 5999)
      assert.strictEqual(remaining(limits.take("192.0.2.2", "general", 0)), 2999)
      assert.strictEqual(remaining(limits.take("192.0.2.1", "general", 300_000)), 2999)
    }).pipe(Effect.provide(AddressLimitsLayer.layer()))
  )

  it.effect("a full map drops the address that was quiet for longest", () =>
    Effect.gen(function* () {
      const limits = yield* AddressLimits
      for (const address of ["a", "b", "a", "c"]) limits.take(address, "general", 0)
      assert.strictEqual(remaining(limits.take("a", "general", 0)), 2997)
      assert.strictEqual(remaining(limits.take("b", "general", 0)), 2999)
    }).pipe(Effect.provide(AddressLimitsLayer.layer(2)))
  )
})
