import { assert, describe, it } from "@effect/vitest"
import { AtpAgent } from "@atproto/api"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import * as Passwords from "../../src/services/sessions/Passwords.ts"
import { quickFailures } from "../support/quickFailures.ts"
import {
  alice,
  aliceIdentity,
  answer,
  call,
  origin,
  password,
  serverLayer,
  serverLayerWith,
  type Services,
  signUp
} from "./sessionServer.ts"

const server = "com.atproto.server"

/** Failed attempts take a minimum time, but not on this clock. */
const live = <E>(title: string, body: Effect.Effect<void, E, Services>) =>
  it.live(title, () =>
    body.pipe(Effect.provide(serverLayer), Effect.provideService(Clock.Clock, quickFailures()))
  )

const signIn = (given: string, more: object = {}) =>
  call(`${server}.createSession`, { body: { identifier: alice.handle, password: given, ...more } })

const getSession = (token: unknown) => call(`${server}.getSession`, { token })

describe("createSession", () => {
  live(
    "createSession returns the account's data that clients expect",
    Effect.gen(function* () {
      yield* signUp()
      const { status, body } = yield* signIn(password)
      assert.strictEqual(status, 200)
      const { accessJwt, refreshJwt, didDoc, ...account } = body
      assert.isString(accessJwt)
      assert.isString(refreshJwt)
      assert.deepStrictEqual(account, {
        did: alice.did,
        handle: "alice.test",
        email: "alice@example.com",
        emailConfirmed: true,
        emailAuthFactor: false,
        active: true
      })
      assert.deepStrictEqual(didDoc, JSON.parse(JSON.stringify(aliceIdentity.document)))
      const session = yield* getSession(accessJwt)
      assert.strictEqual(session.status, 200)
      assert.deepStrictEqual(session.body, { ...account, didDoc })
    })
  )

  live(
    "createSession signs the owner of a deactivated account in and reports the status",
    Effect.gen(function* () {
      yield* signUp({ deactivatedAt: "2026-01-01T00:00:00.000Z" })
      const { status, body } = yield* signIn(password)
      assert.strictEqual(status, 200)
      assert.strictEqual(body["active"], false)
      assert.strictEqual(body["status"], "deactivated")
    })
  )

  live(
    "createSession returns the same for a wrong password and a missing account",
    Effect.gen(function* () {
      const missing = yield* signIn(password)
      yield* signUp()
      const wrong = yield* signIn("wrong")
      assert.strictEqual(wrong.status, 401)
      assert.deepStrictEqual(wrong.body, {
        error: "AuthenticationRequired",
        message: "Invalid identifier or password"
      })
      assert.deepStrictEqual(missing, wrong)
    })
  )

  live(
    "createSession rejects accounts without a password, and overlong passwords",
    Effect.gen(function* () {
      const long = "a".repeat(512)
      yield* signUp({ password: undefined })
      assert.strictEqual((yield* signIn("")).status, 401)
      const { hash } = yield* Passwords.Passwords
      yield* (yield* AccountStore).update({ password: yield* hash(long) })
      assert.strictEqual((yield* signIn(long)).status, 200)
      assert.strictEqual((yield* signIn(`${long}b`)).status, 401)
    })
  )

  it.effect("every failed createSession takes the minimum time", () =>
    Effect.gen(function* () {
      const attempt = yield* Effect.forkChild(signIn("wrong"))
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 100)))
      assert.isUndefined(attempt.pollUnsafe())
      yield* TestClock.adjust(349)
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      assert.isUndefined(attempt.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(attempt)).status, 401)
    }).pipe(Effect.provide(serverLayer))
  )

  live(
    "createSession rejects a taken-down account unless the request allows it",
    Effect.gen(function* () {
      yield* signUp()
      const app = yield* call(`${server}.createAppPassword`, {
        token: (yield* signIn(password)).body["accessJwt"],
        body: { name: "one", privileged: true }
      })
      yield* (yield* AccountStore).update({ takedown: "takendown" })
      const refused = yield* signIn(password)
      assert.strictEqual(refused.status, 401)
      assert.strictEqual(refused.body["error"], "AccountTakedown")
      const allowed = yield* signIn(password, { allowTakendown: true })
      assert.strictEqual(allowed.status, 200)
      assert.strictEqual(allowed.body["active"], false)
      assert.strictEqual(allowed.body["status"], "takendown")
      const { scope } = JSON.parse(atob(String(allowed.body["accessJwt"]).split(".")[1]!))
      assert.strictEqual(scope, "com.atproto.takendown")
      const byApp = yield* signIn(String(app.body["password"]), { allowTakendown: true })
      assert.strictEqual(byApp.body["error"], "AccountTakedown")
      const wrong = yield* signIn("wrong", { allowTakendown: true })
      assert.strictEqual(wrong.body["error"], "AuthenticationRequired")
      const refreshed = yield* call(`${server}.refreshSession`, {
        token: allowed.body["refreshJwt"],
        post: true
      })
      assert.strictEqual(refreshed.body["error"], "AccountTakedown")
    })
  )

  live(
    "createSession rehashes a password whose hash has other parameters",
    Effect.gen(function* () {
      const old = yield* Passwords.make({ logN: 3, r: 8, p: 1 }).hash(password)
      yield* signUp({ password: old })
      assert.strictEqual((yield* signIn("wrong")).status, 401)
      assert.strictEqual((yield* (yield* AccountStore).get).password, old)
      assert.strictEqual((yield* signIn(password)).status, 200)
      assert.match((yield* (yield* AccountStore).get).password ?? "", /^scrypt\$ln=4,/)
      assert.strictEqual((yield* signIn(password)).status, 200)
    })
  )

  live(
    "createSession rejects a password that is being changed, and doesn't restore it",
    Effect.gen(function* () {
      yield* signUp()
      const accounts = yield* AccountStore
      const passwords = yield* Passwords.Passwords
      const other = yield* passwords.hash("other")
      const change = Effect.orDie(accounts.update({ password: other }))
      const duringVerify = Passwords.Passwords.of({
        ...passwords,
        verify: (given, stored) => Effect.tap(passwords.verify(given, stored), change)
      })
      const refused = yield* Effect.provideService(
        signIn(password),
        Passwords.Passwords,
        duringVerify
      )
      assert.strictEqual(refused.status, 401)
      yield* accounts.update({ password: yield* passwords.hash(password) })
      const duringHash = Passwords.Passwords.of({
        ...passwords,
        isOutdated: () => true,
        hash: (given) => Effect.tap(passwords.hash(given), change)
      })
      const allowed = yield* Effect.provideService(
        signIn(password),
        Passwords.Passwords,
        duringHash
      )
      assert.strictEqual(allowed.status, 200)
      assert.strictEqual((yield* accounts.get).password, other)
    })
  )

  it.live("createSession builds the DID document while the network doesn't respond", () =>
    Effect.gen(function* () {
      yield* signUp()
      const { body } = yield* signIn(password)
      assert.deepStrictEqual(body["didDoc"], JSON.parse(JSON.stringify(aliceIdentity.document)))
    }).pipe(Effect.provide(serverLayerWith([])))
  )
})

describe("refreshSession and deleteSession", () => {
  live(
    "concurrent refreshes return tokens that can all be refreshed",
    Effect.gen(function* () {
      yield* signUp()
      const { refreshJwt } = (yield* signIn(password)).body
      const refresh = (token: unknown) => call(`${server}.refreshSession`, { token, post: true })
      const answers = yield* Effect.all(
        Array.from({ length: 10 }, () => refresh(refreshJwt)),
        { concurrency: "unbounded" }
      )
      const jtis = answers.map(({ status, body }) => {
        assert.strictEqual(status, 200)
        return JSON.parse(atob(String(body["refreshJwt"]).split(".")[1]!)).jti as string
      })
      assert.strictEqual(new Set(jtis).size, 1)
      assert.strictEqual(answers[0]?.body["handle"], "alice.test")
      assert.strictEqual((yield* getSession(answers[9]?.body["accessJwt"])).status, 200)
      assert.strictEqual((yield* refresh(answers[3]?.body["refreshJwt"])).status, 200)
    })
  )

  live(
    "deleteSession ends the access token at once, and can be repeated",
    Effect.gen(function* () {
      yield* signUp()
      const { accessJwt, refreshJwt } = (yield* signIn(password)).body
      const other = (yield* signIn(password)).body["accessJwt"]
      const end = call(`${server}.deleteSession`, { token: refreshJwt, post: true })
      assert.strictEqual((yield* end).status, 200)
      assert.deepStrictEqual(yield* getSession(accessJwt), {
        status: 400,
        body: { error: "ExpiredToken", message: "Token has been revoked" }
      })
      assert.strictEqual((yield* end).status, 200)
      const refreshed = yield* call(`${server}.refreshSession`, { token: refreshJwt, post: true })
      assert.deepStrictEqual(refreshed, {
        status: 400,
        body: { error: "ExpiredToken", message: "Token has been revoked" }
      })
      assert.strictEqual((yield* getSession(other)).status, 200)
    })
  )
})

describe("app passwords", () => {
  live(
    "app passwords open sessions of their level, which end with a revocation",
    Effect.gen(function* () {
      yield* signUp()
      const token = (yield* signIn(password)).body["accessJwt"]
      for (const [name, privileged, scope] of [
        ["chat", true, "com.atproto.appPassPrivileged"],
        ["reader", false, "com.atproto.appPass"]
      ] as const) {
        const made = yield* call(`${server}.createAppPassword`, {
          token,
          body: { name, privileged }
        })
        assert.strictEqual(made.status, 200)
        const session = (yield* signIn(String(made.body["password"]))).body
        const claims = JSON.parse(atob(String(session["accessJwt"]).split(".")[1]!))
        assert.strictEqual(claims.scope, scope)
        yield* call(`${server}.revokeAppPassword`, { token, body: { name } })
        assert.strictEqual((yield* getSession(session["accessJwt"])).body["error"], "ExpiredToken")
        const refreshed = yield* call(`${server}.refreshSession`, {
          token: session["refreshJwt"],
          post: true
        })
        assert.strictEqual(refreshed.body["error"], "ExpiredToken")
        assert.strictEqual((yield* signIn(String(made.body["password"]))).status, 401)
      }
      assert.strictEqual((yield* getSession(token)).status, 200)
    })
  )

  live(
    "only the owner creates, lists and revokes app passwords, whose names are unique",
    Effect.gen(function* () {
      yield* signUp()
      const token = (yield* signIn(password)).body["accessJwt"]
      const make = (by: unknown) =>
        call(`${server}.createAppPassword`, { token: by, body: { name: "one", privileged: true } })
      const made = yield* make(token)
      const again = yield* make(token)
      assert.strictEqual(again.status, 400)
      assert.strictEqual(again.body["error"], "InvalidRequest")
      const listed = yield* call(`${server}.listAppPasswords`, { token })
      assert.deepStrictEqual(listed.body, {
        passwords: [{ name: "one", privileged: true, createdAt: made.body["createdAt"] }]
      })
      const app = (yield* signIn(String(made.body["password"]))).body["accessJwt"]
      const refused = { status: 400, body: { error: "InvalidToken", message: "Bad token scope" } }
      assert.deepStrictEqual(yield* make(app), refused)
      assert.deepStrictEqual(yield* call(`${server}.listAppPasswords`, { token: app }), refused)
      const revoked = yield* call(`${server}.revokeAppPassword`, {
        token: app,
        body: { name: "one" }
      })
      assert.deepStrictEqual(revoked, refused)
    })
  )
})

describe("the official client", () => {
  it.effect(
    "the official client signs in, refreshes automatically when its token has expired, and signs out",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_767_225_600_000)
        yield* signUp()
        const context = yield* Effect.context<Services>()
        const events: Array<string> = []
        const agent = new AtpAgent({
          service: origin,
          persistSession: (event) => void events.push(event),
          fetch: (input, init) => Effect.runPromiseWith(context)(answer(new Request(input, init)))
        })
        const { server: methods } = agent.com.atproto
        yield* Effect.promise(() => agent.login({ identifier: "alice.test", password }))
        assert.strictEqual(agent.session?.did, alice.did)
        const made = yield* Effect.promise(() => methods.createAppPassword({ name: "client" }))
        assert.match(made.data.password, /^[a-z2-7-]{19}$/)
        yield* TestClock.adjust("121 minutes")
        const listed = yield* Effect.promise(() => methods.listAppPasswords())
        assert.deepStrictEqual(
          listed.data.passwords.map(({ name }) => name),
          ["client"]
        )
        assert.deepStrictEqual(events, ["create", "update"])
        yield* Effect.promise(() => agent.logout())
        assert.deepStrictEqual(events, ["create", "update", "expired"])
        const rows = (yield* SqlStorage).exec("SELECT id FROM session").toArray()
        assert.deepStrictEqual(rows, [])
      }).pipe(Effect.provide(serverLayer))
  )
})
