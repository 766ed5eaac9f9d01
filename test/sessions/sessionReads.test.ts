import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { newSessionId, sessionKinds } from "../../src/core/sessions/sessionId.ts"
import { parseJwt } from "../../src/core/sessions/jwt.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { AppPasswords } from "../../src/services/sessions/AppPasswords.ts"
import { OAuthSessions } from "../../src/services/oauth/OAuthSessions.ts"
import { Sessions } from "../../src/services/sessions/Sessions.ts"
import { SqlStorage, type SqlValue } from "../../src/services/host/SqlStorage.ts"
import { alice, type Inside, runOver, sqlLayer } from "./accountServices.ts"

const { did } = alice
const use = {
  clientId: "https://app.example.com/client.json",
  jkt: "thumbprint",
  granted: "atproto"
}

type Statement = readonly [query: string, bindings: ReadonlyArray<SqlValue>]

const queries = /^\s*(select|update|delete|insert)/i

/** A database that records its statements. */
const noting = (noted: Array<Statement>) =>
  Layer.effect(
    SqlStorage,
    Effect.map(SqlStorage, (sql) =>
      SqlStorage.of({
        ...sql,
        exec: (query, ...bindings) => {
          noted.push([query, bindings])
          return sql.exec(query, ...bindings)
        }
      })
    )
  ).pipe(Layer.provide(sqlLayer))

/** The statements among these that scan a whole table. */
const scans = Effect.fnUntraced(function* (noted: ReadonlyArray<Statement>) {
  const sql = yield* SqlStorage
  return [...noted].flatMap(([query, bindings]) => {
    if (!queries.test(query)) return []
    const plan = sql
      .exec<{ detail: string }>(`EXPLAIN QUERY PLAN ${query}`, ...bindings)
      .toArray()
      .map(({ detail }) => detail)
    return plan.some((step) => /^SCAN (session|oauth_|app_password)/.test(step)) ? [query] : []
  })
})

const open = Effect.fnUntraced(function* () {
  const now = yield* Clock.currentTimeMillis
  return yield* (yield* OAuthSessions).open(did, {
    ...use,
    id: newSessionId(sessionKinds.oauth, now),
    clientAuth: { method: "none" },
    scope: "atproto",
    device: "device",
    refreshable: true,
    agreedAt: now
  })
})

const steps: Readonly<Record<string, Effect.Effect<unknown, unknown, Inside>>> = {
  "a sign-in by an app password": Effect.gen(function* () {
    const appPasswords = yield* AppPasswords
    const { password } = yield* appPasswords.create(did, { name: "one", privileged: false })
    assert.isDefined(yield* appPasswords.match(did, password))
    yield* (yield* Sessions).open(did, { level: "standard", appPassword: "one" })
  }),
  "a sign-in, a refresh and a sign-out": Effect.gen(function* () {
    const sessions = yield* Sessions
    const { accessJwt, refreshJwt } = yield* sessions.open(did, { level: "full" })
    const now = yield* Clock.currentTimeMillis
    const id = yield* Effect.fromResult(sessions.checkAccess(did, parseJwt(accessJwt), now))
    const { token } = yield* sessions.checkRefresh(did, parseJwt(refreshJwt))
    yield* sessions.refresh(did, id, token)
    yield* sessions.end(id)
  }),
  "an app's sign-in, call, refresh and revocation": Effect.gen(function* () {
    const sessions = yield* OAuthSessions
    const { accessToken, refreshToken = "" } = yield* open()
    const now = yield* Clock.currentTimeMillis
    const checked = sessions.checkAccess(did, parseJwt(accessToken), now)
    const { session } = yield* Effect.fromResult(checked)
    const proof = { jkt: use.jkt, jti: "one", nonce: "", issued: 0, expires: 1 }
    sessions.useProof(session, proof, now)
    yield* sessions.peek(refreshToken, use.jkt)
    yield* sessions.refresh(did, refreshToken, use)
    yield* sessions.consented(use.clientId)
    yield* sessions.revoke(refreshToken, use.clientId)
    yield* (yield* OAuthSessions).end("never opened")
  })
}

describe("with any number of sessions and app passwords", () => {
  it.each(Object.entries(steps))("%s scans no table", async (_, step) => {
    const noted: Array<Statement> = []
    const body = Effect.gen(function* () {
      yield* (yield* AccountStore).create(alice)
      // The first of each kind counts the existing ones.
      yield* (yield* Sessions).open(did, { level: "full" })
      yield* (yield* Sessions).open(did, { level: "standard", appPassword: "one" })
      yield* open()
      noted.length = 0
      yield* step
      const seen = [...noted]
      assert.isAbove(seen.length, 2)
      assert.deepStrictEqual(yield* scans(seen), [])
    })
    await runOver(Effect.orDie(body), noting(noted))
  })
})
