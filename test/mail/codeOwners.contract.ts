import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CodeOwners } from "../../src/services/mail/CodeOwners.ts"

const alice = "did:plc:alice"
const bob = "did:plc:bob"
const expiresAt = 1_767_225_600_000

/** What CodeOwners guarantees; `fresh` creates one over an empty database. */
export const codeOwnersContract = (name: string, fresh: () => Layer.Layer<CodeOwners>) => {
  const check = (
    title: string,
    body: (owners: CodeOwners["Service"]) => Effect.Effect<void, unknown>
  ) =>
    it.effect(title, () =>
      CodeOwners.pipe(Effect.flatMap(body), Effect.provide(Layer.fresh(fresh())))
    )

  describe(`CodeOwners over ${name}`, () => {
    check("ownerOf finds the account of a code, however it is typed", (owners) =>
      Effect.gen(function* () {
        assert.isUndefined(yield* owners.ownerOf("AAAAA-BBBBB"))
        yield* owners.put("AAAAA-BBBBB", { did: alice, expiresAt })
        yield* owners.put("AAAAA-CCCCC", { did: bob, expiresAt })
        assert.strictEqual(yield* owners.ownerOf("AAAAA-BBBBB"), alice)
        assert.strictEqual(yield* owners.ownerOf(" aaaaa ccccc "), bob)
        assert.isUndefined(yield* owners.ownerOf("no code at all"))
      })
    )

    check("a new code replaces the account's previous one", (owners) =>
      Effect.gen(function* () {
        yield* owners.put("AAAAA-BBBBB", { did: alice, expiresAt })
        yield* owners.put("AAAAA-CCCCC", { did: alice, expiresAt })
        assert.isUndefined(yield* owners.ownerOf("AAAAA-BBBBB"))
        assert.strictEqual(yield* owners.ownerOf("AAAAA-CCCCC"), alice)
      })
    )

    check("waiting lists the accounts whose code is valid, the newest first", (owners) =>
      Effect.gen(function* () {
        yield* owners.put("AAAAA-BBBBB", { did: alice, expiresAt })
        yield* owners.put("AAAAA-CCCCC", { did: bob, expiresAt: expiresAt + 1 })
        assert.deepStrictEqual(yield* owners.waiting(expiresAt - 1, 10), [bob, alice])
        assert.deepStrictEqual(yield* owners.waiting(expiresAt - 1, 1), [bob])
        assert.deepStrictEqual(yield* owners.waiting(expiresAt, 10), [bob])
      })
    )

    check("remove forgets an account", (owners) =>
      Effect.gen(function* () {
        yield* owners.put("AAAAA-BBBBB", { did: alice, expiresAt })
        yield* owners.put("AAAAA-CCCCC", { did: bob, expiresAt })
        yield* owners.remove(alice)
        assert.isUndefined(yield* owners.ownerOf("AAAAA-BBBBB"))
        assert.strictEqual(yield* owners.ownerOf("AAAAA-CCCCC"), bob)
      })
    )
  })
}
