import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { parseJwt } from "../../src/core/sessions/jwt.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { seenFrom } from "../../src/core/sessions/seenFrom.ts"
import { Sessions } from "../../src/services/sessions/Sessions.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { alice, type Inside, rowsWritten, type Run } from "./accountServices.ts"
import { alphabets, variedBits } from "../support/randomBits.ts"
import { copySession } from "./copySession.ts"

const { did } = alice
const claimsOf = (token: string) => parseJwt(token)?.claims ?? {}
const minute = 60_000

/** Checks an access token at the current time. */
const checked = Effect.fnUntraced(function* (token: string, owner: string = did) {
  const now = yield* Clock.currentTimeMillis
  return yield* Effect.fromResult((yield* Sessions).checkAccess(owner, parseJwt(token), now))
})

/** What every Sessions guarantees. */
export const sessionsContract = (name: string, run: Run<Inside>) =>
  describe(`Sessions over ${name}`, () => {
    const check = <E>(title: string, body: Effect.Effect<void, E, Inside>) =>
      it(title, () =>
        run(
          Effect.gen(function* () {
            yield* TestClock.setTime(1_767_225_600_000)
            yield* (yield* AccountStore).create(alice)
            yield* body
          })
        )
      )

    const opened = Effect.gen(function* () {
      const sessions = yield* Sessions
      const tokens = yield* sessions.open(did, { level: "full" })
      const first = yield* sessions.checkRefresh(did, parseJwt(tokens.refreshJwt))
      return { sessions, tokens, ...first }
    })

    const next = Effect.fnUntraced(function* (session: string, token: string) {
      const sessions = yield* Sessions
      const tokens = yield* sessions.refresh(did, session, token)
      return (yield* sessions.checkRefresh(did, parseJwt(tokens.refreshJwt))).token
    })

    const rows = Effect.map(
      SqlStorage,
      (sql) => sql.exec<{ n: number }>("SELECT count(*) AS n FROM session").toArray()[0]?.n
    )

    check(
      "refresh tokens have 256 random bits, and session ids 128",
      Effect.gen(function* () {
        const all = yield* Effect.all(Array.from({ length: 64 }, () => opened))
        const tokens = all.map(({ token }) => token)
        assert.strictEqual(variedBits(tokens, alphabets.base64), 256)
        const names = all.map(({ session }) => session.slice(-22))
        assert.strictEqual(variedBits(names, alphabets.base64url), 128)
      })
    )

    check(
      "tokens have the claims that clients expect",
      Effect.gen(function* () {
        const { tokens, session, token } = yield* opened
        const access = parseJwt(tokens.accessJwt)
        assert.deepStrictEqual(access?.header, { typ: "at+jwt", alg: "HS256" })
        assert.deepStrictEqual(access?.claims, {
          scope: "com.atproto.access",
          aud: "did:web:localhost%3A8787",
          sub: did,
          iat: 1_767_225_600,
          exp: 1_767_225_600 + 7200,
          jti: session
        })
        const refresh = parseJwt(tokens.refreshJwt)
        assert.deepStrictEqual(refresh?.header, { typ: "refresh+jwt", alg: "HS256" })
        assert.deepStrictEqual(refresh?.claims, {
          scope: "com.atproto.refresh",
          aud: "did:web:localhost%3A8787",
          sub: did,
          iat: 1_767_225_600,
          exp: 1_767_225_600 + 90 * 86_400,
          jti: token,
          sid: session
        })
        assert.strictEqual(atob(token).length, 32)
      })
    )

    check(
      "each level has its scope",
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const scopes = {
          privileged: "appPassPrivileged",
          standard: "appPass",
          takendown: "takendown"
        }
        for (const level of ["privileged", "standard", "takendown"] as const) {
          const { accessJwt } = yield* sessions.open(did, { level, appPassword: "one" })
          assert.strictEqual(claimsOf(accessJwt)["scope"], `com.atproto.${scopes[level]}`)
          const session = yield* checked(accessJwt)
          assert.strictEqual(sessions.find(session)?.level, level)
          assert.strictEqual(sessions.find(session)?.appPassword, "one")
        }
      })
    )

    check(
      "the database contains only hashes of tokens",
      Effect.gen(function* () {
        const { tokens, session, token } = yield* opened
        const second = yield* next(session, token)
        const stored = JSON.stringify((yield* SqlStorage).exec("SELECT * FROM session").toArray())
        for (const secret of [tokens.accessJwt, tokens.refreshJwt, token, second]) {
          assert.notInclude(stored, secret)
        }
      })
    )

    check(
      "checkAccess rejects an expired or changed token, a refresh token, and one of another account or server",
      Effect.gen(function* () {
        const { tokens } = yield* opened
        const refused = (token: string, owner = did) => Effect.flip(checked(token, owner))
        const fault = yield* refused(tokens.refreshJwt)
        assert.strictEqual(fault.error, "InvalidToken")
        assert.strictEqual(fault.message, "Bad token scope")
        assert.strictEqual(
          (yield* refused(tokens.accessJwt, "did:web:b.test")).error,
          "InvalidToken"
        )
        assert.strictEqual((yield* refused(`${tokens.accessJwt}A`)).error, "InvalidToken")
        assert.strictEqual((yield* refused(tokens.accessJwt.slice(0, -1))).error, "InvalidToken")
        assert.strictEqual((yield* refused("not a token")).error, "InvalidToken")
        yield* TestClock.adjust(119 * minute)
        yield* checked(tokens.accessJwt)
        yield* TestClock.adjust(minute)
        assert.strictEqual((yield* refused(tokens.accessJwt)).error, "ExpiredToken")
      })
    )

    check(
      "checkRefresh rejects an access token, and an expired one unless allowed",
      Effect.gen(function* () {
        const { sessions, tokens, session } = yield* opened
        const wrong = yield* Effect.flip(sessions.checkRefresh(did, parseJwt(tokens.accessJwt)))
        assert.strictEqual(wrong.message, "Bad token scope")
        yield* TestClock.adjust("90 days")
        const late = parseJwt(tokens.refreshJwt)
        assert.strictEqual(
          (yield* Effect.flip(sessions.checkRefresh(did, late))).error,
          "ExpiredToken"
        )
        const passed = yield* sessions.checkRefresh(did, late, { expired: true })
        assert.strictEqual(passed.session, session)
      })
    )

    check(
      "ten concurrent refreshes with one token return the same next token",
      Effect.gen(function* () {
        const { session, token } = yield* opened
        const following = yield* Effect.all(
          Array.from({ length: 10 }, () => next(session, token)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(new Set(following).size, 1)
        assert.notStrictEqual(following[0], token)
      })
    )

    check(
      "a token returns the same next token within two hours, even after further refreshes",
      Effect.gen(function* () {
        const { session, token: first } = yield* opened
        const second = yield* next(session, first)
        yield* TestClock.adjust(60 * minute)
        const third = yield* next(session, second)
        yield* TestClock.adjust(59 * minute)
        assert.strictEqual(yield* next(session, first), second)
        assert.strictEqual(yield* next(session, second), third)
        yield* TestClock.adjust(60 * minute)
        assert.strictEqual(yield* next(session, second), third)
        yield* next(session, third)
      })
    )

    check(
      "a token used again after two hours ends the whole session",
      Effect.gen(function* () {
        const { sessions, session, token: first } = yield* opened
        const second = yield* next(session, first)
        yield* TestClock.adjust(120 * minute)
        assert.strictEqual((yield* Effect.flip(next(session, first)))._tag, "SessionEnded")
        assert.isUndefined(sessions.find(session))
        assert.strictEqual((yield* Effect.flip(next(session, second)))._tag, "SessionEnded")
      })
    )

    check(
      "a session lasts ninety days from its last refresh, and no longer",
      Effect.gen(function* () {
        const { session, token } = yield* opened
        yield* TestClock.adjust("89 days")
        const second = yield* next(session, token)
        yield* TestClock.adjust("89 days")
        const third = yield* next(session, second)
        yield* TestClock.adjust("90 days")
        assert.strictEqual((yield* Effect.flip(next(session, third)))._tag, "SessionEnded")
      })
    )

    check(
      "one session, those of an app password, or all but one can be ended",
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const open = Effect.fnUntraced(function* (appPassword?: string) {
          const level = appPassword === undefined ? "full" : "standard"
          const tokens = yield* sessions.open(did, {
            level,
            ...(appPassword === undefined ? {} : { appPassword })
          })
          return String(claimsOf(tokens.accessJwt)["jti"])
        })
        const [a, b, c, d] = [yield* open(), yield* open("one"), yield* open("two"), yield* open()]
        yield* sessions.end(a)
        yield* sessions.end("unknown")
        sessions.endOfAppPassword("one")
        assert.deepStrictEqual(
          [a, b, c, d].map((id) => sessions.find(id) !== undefined),
          [false, false, true, true]
        )
        yield* sessions.endAll({ except: d })
        assert.isUndefined(sessions.find(c))
        assert.isDefined(sessions.find(d))
        yield* sessions.endAll()
        assert.strictEqual(yield* rows, 0)
      })
    )

    check(
      "list returns where each session was opened, bounded, for one more row, until the session ends",
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const sql = yield* SqlStorage
        const origins = () =>
          sql.exec<{ n: number }>("SELECT count(*) AS n FROM session_origin").toArray()[0]?.n
        const from = { userAgent: "goat/0.2.1", place: "Lisbon, Portugal" }
        const open = Effect.flatMap(Sessions, (all) => all.open(did, { level: "full", from }))
        // The first sign-in from a device is an entry in the account's history, one row more.
        yield* open
        yield* sessions.endAll()
        assert.strictEqual(yield* rowsWritten(open), 3)
        yield* TestClock.adjust("1 seconds")
        yield* sessions.open(did, { level: "full" })
        const [first, second] = yield* sessions.list
        assert.deepStrictEqual([first?.from, second?.from], [from, {}])
        assert.deepStrictEqual(seenFrom("x\u0000\u202e".repeat(500), " "), {
          userAgent: "x".repeat(256)
        })
        yield* sessions.end(first!.id)
        assert.strictEqual(origins(), 0)
        yield* sessions.open(did, { level: "full", from })
        yield* sessions.endAll()
        assert.strictEqual(origins(), 0)
      })
    )

    check(
      "sweep removes expired sessions once a day",
      Effect.gen(function* () {
        const { sessions } = yield* opened
        yield* sessions.sweep
        yield* TestClock.adjust("91 days")
        yield* sessions.open(did, { level: "full" })
        yield* sessions.sweep
        assert.strictEqual(yield* rows, 1)
        yield* TestClock.adjust("90 days")
        yield* sessions.sweep
        yield* sessions.sweep
        assert.strictEqual(yield* rows, 0)
      })
    )

    check(
      "the thousand and first session of the owner, or of app passwords, ends the oldest of its kind",
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const open = (appPassword?: string) =>
          Effect.gen(function* () {
            yield* TestClock.adjust("1 seconds")
            const by = appPassword === undefined ? {} : { appPassword }
            const level = appPassword === undefined ? "full" : "standard"
            const { accessJwt } = yield* sessions.open(did, { level, ...by })
            return String(claimsOf(accessJwt)["jti"])
          })
        const own = yield* open()
        const first = yield* open("bot")
        const copies = yield* copySession("session", first, 989)
        const bots = [first, ...copies, ...(yield* Effect.replicateEffect(open("bot"), 10))]
        yield* sessions.end(bots[500]!)
        yield* open("bot")
        assert.isDefined(sessions.find(bots[0]!))
        yield* open("bot")
        assert.isUndefined(sessions.find(bots[0]!))
        assert.isDefined(sessions.find(bots[1]!))
        assert.isDefined(sessions.find(own))
        assert.strictEqual(yield* rows, 1001)
        sessions.endOfAppPassword("bot")
        yield* open("bot")
        assert.strictEqual(yield* rows, 2)
      })
    )

    check(
      "sessions of version 0.1 stay valid, although their ids have no age",
      Effect.gen(function* () {
        const { sessions } = yield* opened
        const sql = yield* SqlStorage
        const old = "zz".padEnd(22, "x")
        sql.exec(
          "INSERT INTO session SELECT ?, level, app_password, created_at, expires_at, current, recent FROM session",
          old
        )
        sql.exec("DELETE FROM session_note")
        yield* sessions.open(did, { level: "full" })
        assert.isDefined(sessions.find(old))
        yield* sessions.end(old)
        assert.strictEqual(yield* rows, 2)
      })
    )

    check(
      "a session bills two rows to open, one to refresh, none to refresh again, and two to end",
      Effect.gen(function* () {
        const { session, token } = yield* opened
        const open = Effect.flatMap(Sessions, (sessions) => sessions.open(did, { level: "full" }))
        assert.strictEqual(yield* rowsWritten(open), 2)
        assert.strictEqual(yield* rowsWritten(next(session, token)), 1)
        assert.strictEqual(yield* rowsWritten(next(session, token)), 0)
        const end = Effect.flatMap(Sessions, (sessions) => sessions.end(session))
        assert.strictEqual(yield* rowsWritten(end), 2)
      })
    )
  })
