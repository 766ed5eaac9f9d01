import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { alice, type Inside, rowsWritten, type Run, wake } from "../sessions/accountServices.ts"

/** What every AccountStore guarantees; `run` provides an empty object. */
export const accountStoreContract = (name: string, run: Run<Inside>) =>
  describe(`AccountStore over ${name}`, () => {
    const check = <E>(title: string, body: Effect.Effect<void, E, Inside>) =>
      it(title, () => run(body))

    const tableNames = Effect.map(SqlStorage, (sql) =>
      sql
        .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
        .toArray()
        .map((row) => row.name)
        .filter((table) => !table.startsWith("_cf_"))
    )

    check(
      "an empty object has no account, and reading it writes nothing",
      Effect.gen(function* () {
        const store = yield* AccountStore
        const missing = yield* Effect.flip(store.get)
        assert.strictEqual(missing._tag, "RepoNotFound")
        assert.strictEqual(missing.did, alice.did)
        assert.isUndefined(store.peek())
        assert.deepStrictEqual(yield* tableNames, [])
        assert.strictEqual(
          (yield* Effect.flip(store.update({ handle: "x.test" })))._tag,
          "RepoNotFound"
        )
        assert.deepStrictEqual(yield* tableNames, [])
      })
    )

    check(
      "the store keeps an account over the object's sleep",
      Effect.gen(function* () {
        const store = yield* AccountStore
        assert.isUndefined(store.peek())
        yield* store.create(alice)
        assert.deepStrictEqual(yield* store.get, alice)
        const awake = yield* wake
        assert.deepStrictEqual(awake.peek(), alice)
        assert.deepStrictEqual(yield* awake.get, alice)
      })
    )

    check(
      "the store keeps changed and removed fields",
      Effect.gen(function* () {
        const store = yield* AccountStore
        yield* store.create(alice)
        const changed = yield* store.update({
          handle: "alice.example.com",
          email: undefined,
          emailConfirmedAt: undefined,
          emailFactorAt: undefined,
          password: "scrypt",
          deactivatedAt: "2026-02-02T00:00:00.000Z",
          deleteAfter: "2026-03-03T00:00:00.000Z",
          takedown: "suspended"
        })
        assert.strictEqual(changed.did, alice.did)
        assert.strictEqual(changed.takedown, "suspended")
        assert.deepStrictEqual(yield* store.get, changed)
        const awake = yield* wake
        assert.deepStrictEqual(yield* awake.get, changed)
        const restored = yield* awake.update({ takedown: undefined, deactivatedAt: undefined })
        assert.isUndefined(restored.takedown)
        assert.deepStrictEqual(yield* (yield* wake).get, restored)
      })
    )

    check(
      "an object rejects a second account and keeps the first",
      Effect.gen(function* () {
        const store = yield* AccountStore
        yield* store.create(alice)
        const exit = yield* Effect.exit(store.create({ ...alice, handle: "mallory.test" }))
        assert.strictEqual(exit._tag, "Failure")
        assert.strictEqual((yield* store.get).handle, alice.handle)
        assert.strictEqual((yield* (yield* wake).get).handle, alice.handle)
      })
    )

    check(
      "a change writes one row",
      Effect.gen(function* () {
        yield* (yield* AccountStore).create(alice)
        const change = Effect.flatMap(AccountStore, (store) => store.update({ handle: "b.test" }))
        assert.strictEqual(yield* rowsWritten(change), 1)
      })
    )

    check(
      "an account of a version without mailed codes at sign-in can turn them on",
      Effect.gen(function* () {
        const sql = yield* SqlStorage
        yield* (yield* AccountStore).create(alice)
        sql.exec("ALTER TABLE account DROP COLUMN email_factor")
        const store = yield* wake
        assert.deepStrictEqual(yield* store.get, alice)
        const emailFactorAt = "2026-04-04T00:00:00.000Z"
        yield* store.update({ emailFactorAt })
        assert.deepStrictEqual(yield* (yield* wake).get, { ...alice, emailFactorAt })
      })
    )

    check(
      "reading an account creates the tables that a newer version added",
      Effect.gen(function* () {
        const sql = yield* SqlStorage
        yield* (yield* AccountStore).create(alice)
        sql.exec("DROP TABLE session")
        assert.notInclude(yield* tableNames, "session")
        assert.isDefined((yield* wake).peek())
        assert.include(yield* tableNames, "session")
      })
    )

    check(
      "destroy leaves nothing behind, and the object accepts a new account",
      Effect.gen(function* () {
        const store = yield* AccountStore
        yield* store.create(alice)
        yield* store.destroy
        assert.isUndefined(store.peek())
        assert.deepStrictEqual(yield* tableNames, [])
        yield* store.create({ ...alice, handle: "again.test" })
        assert.strictEqual((yield* store.get).handle, "again.test")
      })
    )
  })
