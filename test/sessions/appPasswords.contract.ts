import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { parseJwt } from "../../src/core/sessions/jwt.ts"
import * as AppPasswordsSqlite from "../../src/layers/sessions/AppPasswordsSqlite.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { AppPasswords } from "../../src/services/sessions/AppPasswords.ts"
import { Sessions } from "../../src/services/sessions/Sessions.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { alice, type Inside, otherConfigLayer, rowsWritten, type Run } from "./accountServices.ts"
import { alphabets, variedBits } from "../support/randomBits.ts"

const { did } = alice

/** What every AppPasswords guarantees. */
export const appPasswordsContract = (name: string, run: Run<Inside>) =>
  describe(`AppPasswords over ${name}`, () => {
    const check = <E>(
      title: string,
      body: (service: AppPasswords["Service"]) => Effect.Effect<void, E, Inside>
    ) =>
      it(title, () =>
        run(
          Effect.gen(function* () {
            yield* TestClock.setTime(1_767_225_600_000)
            yield* (yield* AccountStore).create(alice)
            yield* body(yield* AppPasswords)
          })
        )
      )

    check(
      "create generates different passwords of sixteen letters and digits in four groups",
      (service) =>
        Effect.gen(function* () {
          const one = yield* service.create(did, { name: "one", privileged: false })
          const two = yield* service.create(did, { name: "two", privileged: true })
          assert.match(one.password, /^[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}$/)
          assert.notStrictEqual(one.password, two.password)
          assert.strictEqual(one.createdAt, "2026-01-01T00:00:00.000Z")
        })
    )

    check("list returns names without passwords, newest first", (service) =>
      Effect.gen(function* () {
        yield* service.create(did, { name: "z", privileged: true })
        yield* TestClock.adjust("1 second")
        yield* service.create(did, { name: "a", privileged: false })
        assert.deepStrictEqual(yield* service.list, [
          { name: "a", privileged: false, createdAt: "2026-01-01T00:00:01.000Z" },
          { name: "z", privileged: true, createdAt: "2026-01-01T00:00:00.000Z" }
        ])
      })
    )

    check("match finds the password's name, and no other account's", (service) =>
      Effect.gen(function* () {
        yield* service.create(did, { name: "one", privileged: false })
        const two = yield* service.create(did, { name: "two", privileged: true })
        const found = yield* service.match(did, two.password)
        assert.strictEqual(found?.name, "two")
        assert.isTrue(found?.privileged)
        assert.isUndefined(yield* service.match("did:plc:bobbbbbbbbbbbbbbbbbbbbbb", two.password))
        assert.isUndefined(yield* service.match(did, "aaaa-aaaa-aaaa-aaaa"))
        assert.isUndefined(yield* service.match(did, two.password.toUpperCase()))
        assert.isUndefined(yield* service.match(did, ""))
      })
    )

    check("match finds no stored password under another master key", (service) =>
      Effect.gen(function* () {
        const { password } = yield* service.create(did, { name: "one", privileged: false })
        const elsewhere = yield* Effect.provide(
          AppPasswords,
          Layer.provide(Layer.fresh(AppPasswordsSqlite.layer), otherConfigLayer)
        )
        assert.isUndefined(yield* elsewhere.match(did, password))
        assert.isDefined(yield* service.match(did, password))
      })
    )

    check("passwords have 80 random bits", (service) =>
      Effect.gen(function* () {
        const made = Array.from({ length: 64 }, (_, at) =>
          service.create(did, { name: `app ${at}`, privileged: false })
        )
        const texts = (yield* Effect.all(made)).map(({ password }) => password)
        assert.strictEqual(variedBits(texts, alphabets.base32), 80)
      })
    )

    check("the database contains no password", (service) =>
      Effect.gen(function* () {
        const { password } = yield* service.create(did, { name: "one", privileged: false })
        const rows = (yield* SqlStorage).exec("SELECT * FROM app_password").toArray()
        assert.notInclude(JSON.stringify(rows), password)
        assert.notInclude(JSON.stringify(rows), password.replaceAll("-", ""))
      })
    )

    check("create rejects a taken name, and accepts it again after a revocation", (service) =>
      Effect.gen(function* () {
        const first = yield* service.create(did, { name: "one", privileged: false })
        const taken = yield* Effect.flip(service.create(did, { name: "one", privileged: true }))
        assert.strictEqual(taken._tag, "AppPasswordExists")
        assert.strictEqual((yield* service.match(did, first.password))?.privileged, false)
        yield* service.revoke("one")
        yield* service.create(did, { name: "one", privileged: true })
        assert.isUndefined(yield* service.match(did, first.password))
      })
    )

    check("an app password has its own scope, whatever an older one of its name left", (service) =>
      Effect.gen(function* () {
        const make = (scope?: string) =>
          service.create(did, {
            name: "one",
            privileged: false,
            ...(scope === undefined ? {} : { scope })
          })
        const scopes = function* (password: string) {
          const found = yield* service.match(did, password)
          return [found?.scope, service.scopeOf("one"), found?.usedAt]
        }
        const sql = yield* SqlStorage
        for (const left of [null, "atproto repo:*"]) {
          for (const scope of ["atproto", undefined]) {
            sql.exec("INSERT OR REPLACE INTO app_password_note VALUES ('one', ?, 5)", left)
            service.scopeOf("one")
            const { password } = yield* make(scope)
            assert.deepStrictEqual(yield* scopes(password), [scope, scope, undefined])
            yield* service.revoke("one")
          }
        }
      })
    )

    check("a use noted after the revocation leaves nothing behind", (service) =>
      Effect.gen(function* () {
        yield* service.create(did, { name: "one", privileged: false })
        yield* service.revoke("one")
        yield* service.noteUse("one")
        const rows = (yield* SqlStorage).exec("SELECT * FROM app_password_note").toArray()
        assert.deepStrictEqual(rows, [])
      })
    )

    check("a password whose scope is lost matches nothing", (service) =>
      Effect.gen(function* () {
        const made = { name: "one", privileged: false, scope: "atproto" }
        const { password } = yield* service.create(did, made)
        ;(yield* SqlStorage).exec("UPDATE app_password_note SET scope = NULL")
        assert.isUndefined(yield* service.match(did, password))
      })
    )

    check("uses within an hour write one row", (service) =>
      Effect.gen(function* () {
        const use = Effect.flatMap(AppPasswords, (fresh) => fresh.noteUse("one"))
        yield* service.create(did, { name: "one", privileged: false })
        assert.strictEqual(yield* rowsWritten(use), 1)
        yield* TestClock.adjust("59 minutes")
        assert.strictEqual(yield* rowsWritten(use), 0)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* rowsWritten(use), 1)
        const [one] = yield* service.list
        assert.strictEqual(one?.usedAt, 1_767_225_600_000 + 3_600_000)
      })
    )

    check("revoke ends the sessions of that password and no others", (service) =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const ids: Array<string> = []
        for (const appPassword of ["one", "one", "two"]) {
          const tokens = yield* sessions.open(did, { level: "standard", appPassword })
          ids.push(String(parseJwt(tokens.accessJwt)?.claims["jti"]))
        }
        yield* service.revoke("one")
        yield* service.revoke("never made")
        const alive = ids.map((id) => sessions.find(id) !== undefined)
        assert.deepStrictEqual(alive, [false, false, true])
      })
    )

    check(
      "create allows at most a thousand passwords, and names of at most 256 characters",
      (service) =>
        Effect.gen(function* () {
          const make = (called: string) => service.create(did, { name: called, privileged: false })
          const long = yield* Effect.flip(make("x".repeat(AppPasswordsSqlite.budget.name + 1)))
          assert.strictEqual(long._tag, "AppPasswordRefused")
          yield* make("x".repeat(AppPasswordsSqlite.budget.name))
          for (let at = 1; at < 10; at++) yield* make(`one ${at}`)
          // Copies, counted as well: making a thousand takes seconds.
          const more = AppPasswordsSqlite.budget.passwords - 11
          const sql = yield* SqlStorage
          sql.exec(
            `WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ?)
              INSERT INTO app_password SELECT 'copy ' || n, hash || n, privileged, created_at
              FROM copy, app_password WHERE name = 'one 1'`,
            more
          )
          sql.exec("UPDATE session_note SET value = value + ? WHERE name = 'app passwords'", more)
          yield* make("the last")
          assert.strictEqual((yield* Effect.flip(make("more")))._tag, "AppPasswordRefused")
          assert.strictEqual((yield* Effect.flip(make("one 1")))._tag, "AppPasswordExists")
          yield* service.revoke("one 1")
          yield* make("more")
        })
    )
  })
