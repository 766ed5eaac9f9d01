import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  consented,
  endOAuth,
  openOAuth,
  peekOAuth,
  refreshOAuth,
  rememberConsent,
  revokeOAuth
} from "../../../src/services/oauth/calls.ts"
import { wireError } from "../../../src/http/errors.ts"
import { type Account, AccountStore } from "../../../src/services/accounts/AccountStore.ts"
import { type GrantEnded, OAuthSessions } from "../../../src/services/oauth/OAuthSessions.ts"
import { aliceIdentity, serverLayer, type Services, signUp } from "../../sessions/sessionServer.ts"

const session = {
  id: "ses-one",
  clientId: "https://app.example.com/client.json",
  clientAuth: { method: "none" },
  jkt: "thumbprint",
  scope: "atproto",
  granted: "atproto",
  device: "dev-one",
  refreshable: true,
  agreedAt: 1
} as const

const { clientId, jkt } = session

const use = { clientId: session.clientId, jkt: session.jkt, granted: session.granted }

/** The reason for a rejection, which is sent as `invalid_grant`. */
const refusal = <A, R>(effect: Effect.Effect<A, GrantEnded, R>) =>
  Effect.map(Effect.flip(effect), (ended) => {
    const { status, error } = wireError(ended)
    assert.deepStrictEqual([status, error], [400, "invalid_grant"])
    return ended.reason
  })

describe("the OAuth provider's calls to an account's object", () => {
  const check = <E>(title: string, body: Effect.Effect<void, E, Services>) =>
    it.effect(title, () =>
      Effect.andThen(signUp(), body).pipe(Effect.provide(serverLayer), Effect.orDie)
    )

  const change = (changed: Partial<Account>) =>
    Effect.flatMap(AccountStore, (accounts) => accounts.update(changed))

  const opened = Effect.map(openOAuth(session), ({ refreshToken }) => refreshToken!)

  check(
    "the calls open, peek, refresh and revoke a session",
    Effect.gen(function* () {
      const first = yield* opened
      assert.strictEqual((yield* peekOAuth({ refreshToken: first, jkt })).id, "ses-one")
      const { refreshToken } = yield* refreshOAuth({ refreshToken: first, ...use })
      yield* revokeOAuth({ token: refreshToken!, clientId })
      assert.isUndefined((yield* OAuthSessions).find("ses-one"))
      assert.strictEqual(yield* refusal(peekOAuth({ refreshToken: refreshToken!, jkt })), "unknown")
    })
  )

  check(
    "endOAuth ends a session by id, even before it is opened",
    Effect.gen(function* () {
      yield* endOAuth({ session: "ses-one" })
      assert.strictEqual(yield* refusal(openOAuth(session)), "replayed")
    })
  )

  check(
    "consented returns the stored consent",
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* consented({ clientId }), {})
      yield* rememberConsent({ clientId, scope: "atproto" })
      assert.deepStrictEqual(yield* consented({ clientId }), { scope: "atproto" })
    })
  )

  for (const takedown of ["takendown", "suspended"] as const) {
    check(
      `a ${takedown} account neither opens nor refreshes a session until it is restored`,
      Effect.gen(function* () {
        const refreshToken = yield* opened
        yield* change({ takedown })
        const other = openOAuth({ ...session, id: "ses-two" })
        assert.strictEqual(yield* refusal(other), "account inactive")
        assert.strictEqual(yield* refusal(peekOAuth({ refreshToken, jkt })), "account inactive")
        const refresh = refreshOAuth({ refreshToken, ...use })
        assert.strictEqual(yield* refusal(refresh), "account inactive")
        yield* change({ takedown: undefined })
        yield* refresh
      })
    )
  }

  check(
    "a deactivated account opens no new session, but refreshes an existing one",
    Effect.gen(function* () {
      const refreshToken = yield* opened
      yield* change({ deactivatedAt: "2026-01-01T00:00:00.000Z" })
      const other = openOAuth({ ...session, id: "ses-two" })
      assert.strictEqual(yield* refusal(other), "account inactive")
      yield* peekOAuth({ refreshToken, jkt })
      yield* refreshOAuth({ refreshToken, ...use })
    })
  )

  it.effect("an object without an account has no grants and writes nothing", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* refusal(openOAuth(session)), "unknown")
      assert.strictEqual(yield* refusal(peekOAuth({ refreshToken: "ref.a.b.c", jkt })), "unknown")
      yield* revokeOAuth({ token: aliceIdentity.did, clientId })
      yield* endOAuth({ session: "ses-one" })
      assert.deepStrictEqual(yield* consented({ clientId }), {})
      yield* rememberConsent({ clientId, scope: "atproto" })
      assert.isUndefined((yield* AccountStore).peek())
    }).pipe(Effect.provide(serverLayer))
  )
})
