import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PasskeyOwners } from "../../src/services/factors/PasskeyOwners.ts"

const alice = "did:plc:alice"
const bob = "did:plc:bob"

/** What PasskeyOwners guarantees; `fresh` creates one over an empty database. */
export const passkeyOwnersContract = (name: string, fresh: () => Layer.Layer<PasskeyOwners>) => {
  const check = (
    title: string,
    body: (owners: PasskeyOwners["Service"]) => Effect.Effect<void, unknown>
  ) =>
    it.effect(title, () =>
      PasskeyOwners.pipe(Effect.flatMap(body), Effect.provide(Layer.fresh(fresh())))
    )

  describe(`PasskeyOwners over ${name}`, () => {
    check("ownerOf is case-sensitive", (owners) =>
      Effect.gen(function* () {
        assert.isUndefined(yield* owners.ownerOf("credential"))
        assert.isTrue(yield* owners.add("credential", alice))
        assert.isTrue(yield* owners.add("Credential", bob))
        assert.strictEqual(yield* owners.ownerOf("credential"), alice)
        assert.strictEqual(yield* owners.ownerOf("Credential"), bob)
        assert.isUndefined(yield* owners.ownerOf("CREDENTIAL"))
      })
    )

    check("the first of many concurrent claims gets a credential", (owners) =>
      Effect.gen(function* () {
        const dids = Array.from({ length: 8 }, (_, n) => `did:plc:${n}`)
        const claims = yield* Effect.forEach(dids, (did) => owners.add("credential", did), {
          concurrency: "unbounded"
        })
        const winners = dids.filter((_, n) => claims[n])
        assert.deepStrictEqual(winners, [yield* owners.ownerOf("credential")])
        for (const did of dids) assert.isFalse(yield* owners.add("credential", did))
      })
    )

    check("remove takes a credential only from its owner", (owners) =>
      Effect.gen(function* () {
        yield* owners.add("credential", alice)
        yield* owners.remove("credential", bob)
        assert.strictEqual(yield* owners.ownerOf("credential"), alice)
        yield* owners.remove("credential", alice)
        yield* owners.remove("credential", alice)
        assert.isUndefined(yield* owners.ownerOf("credential"))
        assert.isTrue(yield* owners.add("credential", bob))
      })
    )

    check("removeAll takes all credentials of one account, and of no other", (owners) =>
      Effect.gen(function* () {
        yield* owners.add("one", alice)
        yield* owners.add("two", alice)
        yield* owners.add("three", bob)
        yield* owners.removeAll(alice)
        assert.isUndefined(yield* owners.ownerOf("one"))
        assert.isUndefined(yield* owners.ownerOf("two"))
        assert.strictEqual(yield* owners.ownerOf("three"), bob)
      })
    )
  })
}
