import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { ServiceTokens } from "../../src/services/sessions/ServiceTokens.ts"
import { Sessions } from "../../src/services/sessions/Sessions.ts"
import { alice, call, serverLayer, type Services, signUp } from "./sessionServer.ts"

const aud = "did:web:service.test"
const lxm = "com.example.do"
const now = 1_767_225_600

const check = <E>(title: string, body: Effect.Effect<void, E, Services>) =>
  it.effect(title, () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1000)
      yield* signUp()
      yield* body
    }).pipe(Effect.provide(serverLayer))
  )

type Level = "full" | "privileged" | "standard" | "takendown"

const request = Effect.fnUntraced(function* (
  params: Record<string, string>,
  level: Level = "full"
) {
  const { accessJwt } = yield* (yield* Sessions).open(alice.did, { level })
  return yield* call("com.atproto.server.getServiceAuth", { token: accessJwt, params })
})

const claimsOf = (token: unknown) => JSON.parse(atob(String(token).split(".")[1]!))

/** "ok", or the error's name. */
const outcome = (params: Record<string, string>, level?: Level) =>
  Effect.map(request(params, level), ({ status, body }) => (status === 200 ? "ok" : body["error"]))

describe("getServiceAuth", () => {
  check(
    "getServiceAuth issues a token for sixty seconds that the account's own key verifies",
    Effect.gen(function* () {
      const { body } = yield* request({ aud, lxm })
      const { jti, ...claims } = claimsOf(body["token"])
      assert.isString(jti)
      assert.deepStrictEqual(claims, { iss: alice.did, aud, lxm, iat: now, exp: now + 60 })
      const tokens = yield* ServiceTokens
      const verified = yield* tokens.verify(String(body["token"]), { audiences: [aud], lxm })
      assert.strictEqual(verified.iss, alice.did)
    })
  )

  check(
    "getServiceAuth accepts only a DID, with or without a service, as audience",
    Effect.gen(function* () {
      for (const audience of [`${aud}#bsky_appview`, "did:plc:z72i7hdynmk6r22z27h6tvur"]) {
        const { status, body } = yield* request({ aud: audience, lxm })
        assert.strictEqual(status, 200)
        assert.strictEqual(claimsOf(body["token"]).aud, audience)
      }
      for (const audience of [
        "",
        "https://service.test",
        "did:key:zabc",
        `${aud}#`,
        `${aud}#a#b`,
        `${aud} `
      ]) {
        assert.strictEqual(yield* outcome({ aud: audience, lxm }), "InvalidRequest", audience)
      }
    })
  )

  check(
    "getServiceAuth limits the expiration to an hour, and to a minute without a method",
    Effect.gen(function* () {
      const until = (seconds: number) => ({ exp: String(now + seconds) })
      const { body } = yield* request({ aud, lxm, ...until(3600) })
      assert.strictEqual(claimsOf(body["token"]).exp, now + 3600)
      assert.strictEqual(yield* outcome({ aud, lxm, ...until(3601) }), "BadExpiration")
      assert.strictEqual(yield* outcome({ aud, lxm, ...until(-1) }), "BadExpiration")
      assert.strictEqual(yield* outcome({ aud, ...until(60) }), "ok")
      assert.strictEqual(yield* outcome({ aud, ...until(61) }), "BadExpiration")
      assert.strictEqual(yield* outcome({ aud, exp: "soon" }), "InvalidRequest")
    })
  )

  check(
    "getServiceAuth refuses protected methods in any case",
    Effect.gen(function* () {
      for (const method of [
        "com.atproto.server.createAppPassword",
        "com.atproto.identity.signPlcOperation",
        "com.atproto.admin.sendEmail",
        "com.atproto.admin.updateSubjectStatus",
        "Com.Atproto.ADMIN.getAccountInfo",
        "com.atproto.admin.ofTomorrow",
        "COM.ATPROTO.Server.DEACTIVATEAccount"
      ]) {
        assert.strictEqual(yield* outcome({ aud, lxm: method }), "InvalidRequest", method)
      }
    })
  )

  check(
    "getServiceAuth issues tokens for chat and moving only to privileged sessions",
    Effect.gen(function* () {
      const chat = "chat.bsky.convo.listConvos"
      const move = "com.atproto.server.createAccount"
      for (const method of [
        chat,
        move,
        "CHAT.bsky.convo.getLog",
        "com.Atproto.server.createACCOUNT"
      ]) {
        assert.strictEqual(
          yield* outcome({ aud, lxm: method }, "standard"),
          "InvalidRequest",
          method
        )
        assert.strictEqual(yield* outcome({ aud, lxm: method }, "privileged"), "ok", method)
        assert.strictEqual(yield* outcome({ aud, lxm: method }, "full"), "ok", method)
      }
      assert.strictEqual(yield* outcome({ aud, lxm }, "standard"), "ok")
      assert.strictEqual(yield* outcome({ aud }, "standard"), "InvalidRequest")
    })
  )

  check(
    "getServiceAuth lets a taken-down account move away, and nothing else",
    Effect.gen(function* () {
      yield* (yield* AccountStore).update({ takedown: "takendown" })
      for (const level of ["takendown", "full"] as const) {
        assert.strictEqual(
          yield* outcome({ aud, lxm: "com.atproto.server.createAccount" }, level),
          "ok"
        )
        assert.strictEqual(yield* outcome({ aud, lxm }, level), "InvalidToken")
        assert.strictEqual(yield* outcome({ aud }, level), "InvalidToken")
      }
      const app = yield* outcome({ aud, lxm: "com.atproto.server.createAccount" }, "privileged")
      assert.strictEqual(app, "AccountTakedown")
    })
  )
})
