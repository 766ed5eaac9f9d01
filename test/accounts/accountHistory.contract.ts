import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { budget } from "../../src/layers/accounts/AccountHistorySqlite.ts"
import type { HistoryEvent } from "../../src/core/accounts/history.ts"
import { AccountHistory } from "../../src/services/accounts/AccountHistory.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { AppPasswords } from "../../src/services/sessions/AppPasswords.ts"
import { Sessions } from "../../src/services/sessions/Sessions.ts"
import { alice, type Inside, rowsWritten, type Run } from "../sessions/accountServices.ts"

const start = 1_767_225_600_000
const day = 86_400_000

const signIn = (change: Partial<HistoryEvent> = {}): HistoryEvent => ({
  kind: "sign-in",
  way: "password",
  client: "goat/0.2.1",
  place: "Lisbon, Portugal",
  ...change
})

/** What every AccountHistory guarantees. */
export const accountHistoryContract = (name: string, run: Run<Inside>) =>
  describe(`AccountHistory over ${name}`, () => {
    const check = <E>(
      title: string,
      body: (service: AccountHistory["Service"]) => Effect.Effect<void, E, Inside>
    ) =>
      it(title, () =>
        run(
          Effect.gen(function* () {
            yield* TestClock.setTime(start)
            yield* (yield* AccountStore).create(alice)
            yield* body(yield* AccountHistory)
          })
        )
      )

    const kinds = (service: AccountHistory["Service"]) =>
      service.page({ limit: 1000 }).entries.map(({ kind }) => kind)

    check("page returns entries newest first, in pages that miss and repeat none", (service) =>
      Effect.sync(() => {
        for (let at = 0; at < 7; at++) {
          service.note({ kind: "handle", after: `h${at}.test` }, start + at)
        }
        const seen: Array<string | undefined> = []
        let before: number | undefined
        do {
          const page = service.page({ limit: 3, ...(before === undefined ? {} : { before }) })
          seen.push(...page.entries.map(({ after }) => after))
          before = page.cursor
        } while (before !== undefined)
        assert.deepStrictEqual(
          seen,
          [6, 5, 4, 3, 2, 1, 0].map((at) => `h${at}.test`)
        )
      })
    )

    check("a device is new by way, app, client without version, and country", (service) =>
      Effect.sync(() => {
        const same = [
          signIn(),
          signIn({ client: "goat/0.3.0" }),
          signIn({ place: "Porto, Portugal" })
        ]
        for (const event of same) service.signedIn(event, start)
        assert.lengthOf(kinds(service), 1)
        const others = [
          signIn({ way: "browser" }),
          signIn({ client: "Firefox on Linux" }),
          signIn({ place: "Madrid, Spain" }),
          signIn({ way: "app", app: "https://a.example.com/client.json" }),
          signIn({ way: "app", app: "https://b.example.com/client.json" }),
          signIn({ way: "app password", subject: "phone" })
        ]
        for (const event of [...others, ...others]) service.signedIn(event, start)
        assert.lengthOf(kinds(service), 1 + others.length)
      })
    )

    check(
      "the device of the sign-up is known for passwords and browsers, not for apps",
      (service) =>
        Effect.sync(() => {
          const { client = "", place = "" } = signIn()
          service.note({ kind: "created", client, place }, start)
          service.signedIn(signIn(), start)
          service.signedIn(signIn({ way: "browser" }), start)
          assert.lengthOf(kinds(service), 1)
          service.signedIn(signIn({ way: "app", app: "https://a.example.com/client.json" }), start)
          assert.lengthOf(kinds(service), 2)
        })
    )

    check("a disconnected app and a revoked app password are new when they come back", (service) =>
      Effect.sync(() => {
        const app = signIn({ way: "app", app: "https://a.example.com/client.json" })
        const byAppPassword = signIn({ way: "app password", subject: "phone" })
        for (const event of [app, byAppPassword]) service.signedIn(event, start)
        service.note({ kind: "app-removed", app: app.app! }, start)
        service.note({ kind: "app-password-revoked", subject: "phone" }, start)
        for (const event of [app, byAppPassword, app, byAppPassword]) service.signedIn(event, start)
        assert.deepStrictEqual(kinds(service).slice(0, 2), ["sign-in", "sign-in"])
        assert.lengthOf(kinds(service), 6)
      })
    )

    check(
      "refused attempts of a UTC day share an entry, which counts them by what was wrong",
      (service) =>
        Effect.sync(() => {
          service.refused("password", start)
          service.refused("password", start + 1000)
          service.refused("code", start + 2000)
          service.refused("passkey", start + day)
          const [second, first] = service.page({ limit: 10 }).entries
          assert.deepInclude(first, {
            at: start,
            until: start + 2000,
            refused: { password: 2, code: 1 }
          })
          assert.deepInclude(second, { refused: { passkey: 1 } })
          assert.deepStrictEqual(service.refusedSince(start + 3000), { passkey: 1 })
          assert.deepStrictEqual(service.refusedSince(start), { password: 2, code: 1, passkey: 1 })
        })
    )

    check("a change and its entry are written together, or neither is", (service) =>
      Effect.gen(function* () {
        const sql = yield* SqlStorage
        const failing = () =>
          sql.transaction(() => {
            service.note({ kind: "password" }, start)
            throw new Error("the change fails")
          })
        assert.throws(failing, "the change fails")
        assert.lengthOf(kinds(service), 0)
        service.forget()
        service.note({ kind: "password" }, start)
        assert.deepStrictEqual(kinds(service), ["password"])
      })
    )

    check("changes of the account, app passwords and sign-ins leave their entries", (service) =>
      Effect.gen(function* () {
        const accounts = yield* AccountStore
        yield* accounts.update({ handle: "new.test" }, { kind: "handle", after: "new.test" })
        yield* accounts.update({ password: "rehashed" })
        const appPasswords = yield* AppPasswords
        yield* appPasswords.create(alice.did, { name: "phone", privileged: false })
        yield* (yield* Sessions).open(alice.did, { level: "standard", appPassword: "phone" })
        yield* appPasswords.revoke("phone")
        yield* appPasswords.revoke("phone")
        assert.deepStrictEqual(kinds(service).toReversed(), [
          "handle",
          "app-password",
          "sign-in",
          "app-password-revoked"
        ])
      })
    )

    check("a sign-in from a new device bills one row more, from a known one none", () =>
      Effect.gen(function* () {
        const from = { userAgent: "goat/0.2.1" }
        const open = Effect.flatMap(Sessions, (sessions) =>
          sessions.open(alice.did, { level: "full", from })
        )
        const first = yield* rowsWritten(open)
        const second = yield* rowsWritten(open)
        assert.strictEqual(first, second + 1)
      })
    )
  })

/** What only an object that stays awake shows: mails that wait, and many entries in a short time. */
export const awakeHistoryContract = (run: Run<Inside>) =>
  describe("AccountHistory in an object that is awake", () => {
    it("beyond its bounds in entries and bytes the oldest entries go", () =>
      run(
        Effect.gen(function* () {
          yield* (yield* AccountStore).create(alice)
          const service = yield* AccountHistory
          for (let at = 0; at < budget.rows + 5; at++) {
            service.note({ kind: "handle", after: `h${at}.test` }, start + at)
          }
          const { entries } = service.page({ limit: 2000 })
          assert.lengthOf(entries, budget.rows)
          assert.strictEqual(entries.at(-1)?.after, "h5.test")
          const long = { kind: "suspended", reason: "a".repeat(10_000) } as const
          for (let at = 0; at < 300; at++) service.note(long, start)
          const sql = yield* SqlStorage
          const query = "SELECT sum(length(CAST(detail AS BLOB))) AS bytes FROM account_history"
          const [size] = sql.exec<{ bytes: number }>(query).toArray()
          assert.isAtMost(size?.bytes ?? Infinity, budget.bytes)
          assert.strictEqual(service.page({ limit: 1 }).entries[0]?.kind, "suspended")
        })
      ))

    it("the server mails each kind of event at most five times a day, and quiet kinds never", () =>
      run(
        Effect.gen(function* () {
          yield* (yield* AccountStore).create(alice)
          const history = yield* AccountHistory
          for (let at = 0; at < 8; at++) history.note({ kind: "handle" }, start + at)
          history.note({ kind: "password" }, start + 10)
          history.note({ kind: "app-password-revoked" }, start + 11)
          history.note({ kind: "handle" }, start + day + 10)
          const unsent = history.takeUnsent().map(({ kind }) => kind)
          assert.deepStrictEqual(unsent, [
            ...Array.from({ length: 5 }, () => "handle"),
            "password",
            "handle"
          ])
          assert.lengthOf(history.takeUnsent(), 0)
        })
      ))
  })
