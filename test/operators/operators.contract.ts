import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Operators } from "../../src/services/operators/Operators.ts"

const addedBy = "password"
const [ada, bo, cy] = ["did:plc:ada", "did:plc:bo", "did:plc:cy"]

const outcome = <E extends { readonly _tag: string }>(effect: Effect.Effect<unknown, E>) =>
  Effect.match(effect, {
    onFailure: (failure) => ("reason" in failure ? String(failure.reason) : failure._tag),
    onSuccess: () => "ok"
  })

/** The tests that every Operators must pass; `fresh` creates one over an empty database. */
export const operatorsContract = (name: string, fresh: () => Layer.Layer<Operators>) => {
  const check = (
    title: string,
    body: (operators: Operators["Service"]) => Effect.Effect<void, unknown>
  ) =>
    it.effect(title, () =>
      Operators.pipe(Effect.flatMap(body), Effect.provide(Layer.fresh(fresh())))
    )

  describe(`the operators over ${name}`, () => {
    check("an operator has the last given role, until it is removed", (operators) =>
      Effect.gen(function* () {
        assert.isUndefined(yield* operators.role(ada))
        yield* operators.set({ did: ada, role: "admin", addedBy })
        yield* operators.set({ did: bo, role: "inviter", addedBy: ada })
        yield* operators.set({ did: bo, role: "moderator", addedBy: ada })
        assert.deepStrictEqual(
          (yield* operators.list).map(({ did, role, addedBy: by }) => [did, role, by]),
          [
            [ada, "admin", addedBy],
            [bo, "moderator", ada]
          ]
        )
        yield* operators.remove(bo)
        assert.isUndefined(yield* operators.role(bo))
        assert.strictEqual(yield* outcome(operators.remove(bo)), "not an operator")
      })
    )

    check("the last admin can neither be removed nor get another role", (operators) =>
      Effect.gen(function* () {
        yield* operators.set({ did: ada, role: "admin", addedBy })
        yield* operators.set({ did: bo, role: "moderator", addedBy })
        assert.strictEqual(yield* outcome(operators.remove(ada)), "last admin")
        const lower = operators.set({ did: ada, role: "inviter", addedBy })
        assert.strictEqual(yield* outcome(lower), "last admin")
        assert.strictEqual(yield* operators.role(ada), "admin")
        yield* operators.set({ did: cy, role: "admin", addedBy })
        const both = [operators.remove(ada), operators.remove(cy)].map(outcome)
        const outcomes = yield* Effect.all(both, { concurrency: "unbounded" })
        assert.deepStrictEqual(outcomes.toSorted(), ["last admin", "ok"])
      })
    )

    check("a host has at most 100 operators, who can still get other roles", (operators) =>
      Effect.gen(function* () {
        for (let at = 0; at < 100; at++) {
          yield* operators.set({ did: `did:plc:${at}`, role: "admin", addedBy })
        }
        const more = operators.set({ did: ada, role: "inviter", addedBy })
        assert.strictEqual(yield* outcome(more), "too many")
        yield* operators.set({ did: "did:plc:7", role: "inviter", addedBy })
        assert.strictEqual(yield* operators.role("did:plc:7"), "inviter")
      })
    )
  })
}
