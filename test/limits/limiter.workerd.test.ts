import { runDurableObjectAlarm } from "cloudflare:test"
import { assert, describe, it } from "@effect/vitest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as LimiterObject from "../../src/layers/objects/Limiter.ts"
import { limiterContract } from "./limiter.contract.ts"
import { LIMITER } from "../host/workerdWorld.ts"

type Stub = DurableObjectStub & LimiterObject.LimiterStub

// SAFETY: the object's class has this method.
const stubOf = (name: string) => LIMITER.get(LIMITER.idFromName(name)) as Stub

const masterKey = Redacted.make(new Uint8Array(32).fill(7))

let made = 0

limiterContract(
  "Durable Objects",
  Layer.suspend(() => {
    const test = made++
    return LimiterObject.layer((shard) => stubOf(`${test} ${shard}`), masterKey)
  })
)

describe("the Limiter object and hibernation", () => {
  it("the alarm wakes the object and sweeps exactly the expired counters", async () => {
    const stub = stubOf("swept")
    const now = Date.now()
    const take = (key: string, windowSeconds: number) =>
      stub.take({ key, points: 1, limits: [{ limit: 2, windowSeconds }], now: now - 120_000 })
    await take("over", 60)
    await take("running", 7200)
    assert.isTrue(await runDurableObjectAlarm(stub))
    const again = async (key: string, windowSeconds: number) => {
      const answer = await take(key, windowSeconds)
      return "state" in answer ? answer.state.remaining : "exceeded"
    }
    // With the same time again, only what was swept starts over.
    assert.strictEqual(await again("over", 60), 1)
    assert.strictEqual(await again("running", 7200), 0)
    assert.isTrue(await runDurableObjectAlarm(stub))
  })
})
