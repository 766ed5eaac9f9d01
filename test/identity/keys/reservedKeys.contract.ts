import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { ReservedKeys } from "../../../src/services/identity/ReservedKeys.ts"

const alice = "did:plc:alice"
const bob = "did:plc:bob"

/** What ReservedKeys guarantees; `fresh` creates one over an empty database. */
export const reservedKeysContract = (name: string, fresh: () => Layer.Layer<ReservedKeys>) => {
  const check = (
    title: string,
    body: (keys: ReservedKeys["Service"]) => Effect.Effect<void, unknown>
  ) =>
    it.effect(title, () =>
      ReservedKeys.pipe(Effect.flatMap(body), Effect.provide(Layer.fresh(fresh())))
    )

  describe(`ReservedKeys over ${name}`, () => {
    check("a DID has one reserved key, with its private half", (keys) =>
      Effect.gen(function* () {
        assert.isUndefined(yield* keys.find(alice))
        const didKey = yield* keys.reserve(alice)
        assert.strictEqual(yield* keys.reserve(alice), didKey)
        assert.notStrictEqual(yield* keys.reserve(bob), didKey)
        assert.strictEqual((yield* keys.find(alice))?.didKey, didKey)
      })
    )

    check("each reservation without a DID is a new key, which a DID claims by naming it", (keys) =>
      Effect.gen(function* () {
        const free = yield* keys.reserve(undefined)
        assert.notStrictEqual(yield* keys.reserve(undefined), free)
        const own = yield* keys.reserve(alice)
        const others = yield* keys.reserve(bob)
        assert.strictEqual((yield* keys.find(alice, [others, free]))?.didKey, free)
        assert.strictEqual((yield* keys.find(alice, [others]))?.didKey, own)
        assert.strictEqual((yield* keys.find("did:plc:carol", [others]))?.didKey, undefined)
        // Nobody can take it from others by claiming it first.
        yield* keys.remove(alice)
        assert.strictEqual((yield* keys.find("did:plc:carol", [free]))?.didKey, free)
      })
    )

    check("a key reserved under another key's name is never returned", (keys) =>
      Effect.gen(function* () {
        const foreign = yield* keys.reserve(undefined)
        const taken = yield* keys.reserve("did:key:zStranger")
        assert.isUndefined(yield* keys.find(alice, ["did:key:zStranger", taken]))
        assert.strictEqual((yield* keys.find(alice, [foreign]))?.didKey, foreign)
      })
    )

    check("concurrent reservations for a DID all return the same key", (keys) =>
      Effect.gen(function* () {
        const asked = Array.from({ length: 6 }, () => keys.reserve(alice))
        const reservedKeys = yield* Effect.all(asked, { concurrency: "unbounded" })
        assert.deepStrictEqual([...new Set(reservedKeys)], [(yield* keys.find(alice))?.didKey])
      })
    )

    check("a key is deleted when its account exists, or after thirty days", (keys) =>
      Effect.gen(function* () {
        const gone = yield* keys.reserve(alice)
        yield* keys.remove(alice)
        assert.isUndefined(yield* keys.find(alice))
        const didKey = yield* keys.reserve(alice)
        assert.notStrictEqual(didKey, gone)
        yield* TestClock.adjust("30 days")
        assert.strictEqual(yield* keys.reserve(alice), didKey)
        yield* TestClock.adjust("1 second")
        assert.notStrictEqual(yield* keys.reserve(alice), didKey)
      })
    )
  })
}
