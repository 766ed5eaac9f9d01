import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { TestClock } from "effect/testing"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { Directory, DirectoryUnavailable } from "../../src/services/accounts/Directory.ts"
import * as PublicCacheGate from "../../src/services/edge/PublicCacheGate.ts"

/** A gate whose directory does what the test says. */
const gateOver = (shutEdge: Directory["Service"]["shutEdge"]) =>
  PublicCacheGate.layer.pipe(
    Layer.provide(
      Layer.mergeAll(
        Layer.mock(Directory, { shutEdge }),
        // SAFETY: the gate reads only the DID.
        Layer.mock(AccountStore, {
          peek: () => ({ did: "did:plc:alice" }) as never,
          find: () => Result.succeed({ did: "did:plc:alice" } as never)
        })
      )
    )
  )

describe("the gate to the edge", () => {
  it.effect("the gate shuts before a change and shares nothing until it is done", () => {
    const seen: Array<string> = []
    return Effect.gen(function* () {
      const gate = yield* PublicCacheGate.PublicCacheGate
      assert.isTrue(gate.share())
      const done = yield* Deferred.make<void>()
      const change = Effect.andThen(
        Effect.sync(() => seen.push("changing")),
        Deferred.await(done)
      )
      const changing = yield* Effect.forkChild(gate.whileShut(change))
      yield* Effect.yieldNow
      assert.deepStrictEqual(seen, ["shut", "changing"])
      assert.isFalse(gate.share())
      // A concurrent change finds it shut.
      yield* gate.whileShut(Effect.sync(() => seen.push("another")))
      assert.deepStrictEqual(seen, ["shut", "changing", "another"])
      assert.isFalse(gate.share())
      yield* Deferred.succeed(done, undefined)
      yield* Fiber.join(changing)
      assert.isTrue(gate.share())
    }).pipe(Effect.provide(gateOver(() => Effect.sync(() => void seen.push("shut")))))
  })

  it.effect("the gate asks the directory again only after something was shared", () => {
    let asked = 0
    return Effect.gen(function* () {
      const gate = yield* PublicCacheGate.PublicCacheGate
      for (let count = 0; count < 5; count += 1) yield* gate.whileShut(Effect.void)
      assert.strictEqual(asked, 1)
      gate.share()
      yield* gate.whileShut(Effect.void)
      assert.strictEqual(asked, 2)
    }).pipe(Effect.provide(gateOver(() => Effect.sync(() => void (asked += 1)))))
  })

  it.effect(
    "the gate asks the directory again after its object slept, because an earlier life may have shared",
    () => {
      let asked = 0
      const gate = gateOver(() => Effect.sync(() => void (asked += 1)))
      const awake = Effect.provide(PublicCacheGate.PublicCacheGate, Layer.fresh(gate))
      return Effect.gen(function* () {
        const before = yield* awake
        yield* before.whileShut(Effect.void)
        before.share()
        yield* (yield* awake).whileShut(Effect.void)
        assert.strictEqual(asked, 2)
        // It is shut, but this life doesn't know.
        yield* (yield* awake).whileShut(Effect.void)
        assert.strictEqual(asked, 3)
      })
    }
  )

  it.effect("the gate allows no change if it can't shut, and reopens", () => {
    let changed = 0
    let isDown = true
    const down = new DirectoryUnavailable({ operation: "shutEdge", cause: "down" })
    return Effect.gen(function* () {
      const gate = yield* PublicCacheGate.PublicCacheGate
      const change = gate.whileShut(Effect.sync(() => (changed += 1)))
      assert.strictEqual((yield* Effect.flip(change))._tag, "DirectoryUnavailable")
      assert.strictEqual(changed, 0)
      assert.isTrue(gate.share())
      isDown = false
      yield* change
      assert.strictEqual(changed, 1)
    }).pipe(Effect.provide(gateOver(() => (isDown ? Effect.fail(down) : Effect.void))))
  })

  it.effect("the gate gives up after a while, even inside an uninterruptible region", () =>
    Effect.gen(function* () {
      const gate = yield* PublicCacheGate.PublicCacheGate
      const change = Effect.uninterruptible(gate.whileShut(Effect.die("changed")))
      const waiting = yield* Effect.forkChild(Effect.flip(change))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "DirectoryUnavailable")
    }).pipe(Effect.provide(gateOver(() => Effect.never)))
  )
})
