import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { parseJwt } from "../../../src/core/sessions/jwt.ts"
import { newSessionId, sessionKinds } from "../../../src/core/sessions/sessionId.ts"
import { budget } from "../../../src/layers/oauth/OAuthSessionsSqlite.ts"
import { AccountStore } from "../../../src/services/accounts/AccountStore.ts"
import { type NewOAuthSession, OAuthSessions } from "../../../src/services/oauth/OAuthSessions.ts"
import { SqlStorage } from "../../../src/services/host/SqlStorage.ts"
import { alice, type Inside, rowsWritten, type Run } from "../../sessions/accountServices.ts"
import { copySession } from "../../sessions/copySession.ts"

const { did } = alice
const start = 1_767_225_600_000

const publicSession: NewOAuthSession = {
  id: "ses-public",
  clientId: "https://app.example.com/client.json",
  clientAuth: { method: "none" },
  jkt: "thumbprint",
  scope: "atproto include:com.example.set",
  granted: "atproto repo:com.example.record",
  device: "dev-1",
  refreshable: true,
  agreedAt: start
}

const confidentialSession: NewOAuthSession = {
  ...publicSession,
  id: "ses-confidential",
  clientId: "https://server.example.com/client.json",
  clientAuth: { method: "private_key_jwt", alg: "ES256", kid: "one", jkt: "client key" }
}

const { clientId, jkt, granted } = publicSession

/** What every OAuthSessions guarantees. */
export const oauthSessionsContract = (name: string, run: Run<Inside>) =>
  describe(`OAuthSessions over ${name}`, () => {
    const check = <E>(title: string, body: Effect.Effect<void, E, Inside>) =>
      it(title, () =>
        run(
          Effect.gen(function* () {
            yield* TestClock.setTime(start)
            yield* (yield* AccountStore).create(alice)
            yield* body
          })
        )
      )

    const opened = Effect.fnUntraced(function* (session = publicSession) {
      const sessions = yield* OAuthSessions
      const agreedAt = yield* Clock.currentTimeMillis
      const tokens = yield* sessions.open(did, { ...session, agreedAt })
      return { sessions, tokens, first: tokens.refreshToken! }
    })

    const refresh = Effect.fnUntraced(function* (
      token: string,
      use: Partial<{ clientId: string; jkt: string; granted: string }> = {}
    ) {
      const sessions = yield* OAuthSessions
      return yield* sessions.refresh(did, token, { clientId, jkt, granted, ...use })
    })

    const reason = <A, R>(effect: Effect.Effect<A, { readonly reason: string }, R>) =>
      Effect.map(Effect.flip(effect), (ended) => ended.reason)

    const stored = Effect.map(SqlStorage, (sql) =>
      sql.exec<Record<string, string>>("SELECT * FROM oauth_session").toArray()
    )

    check(
      "an access token is bound to the key and doesn't contain its permissions",
      Effect.gen(function* () {
        const { tokens } = yield* opened()
        const jwt = parseJwt(tokens.accessToken)
        assert.deepStrictEqual(jwt?.header, { typ: "at+jwt", alg: "HS256" })
        assert.deepStrictEqual(jwt?.claims, {
          jti: "ses-public",
          sub: did,
          iat: start / 1000,
          exp: start / 1000 + 900,
          aud: "did:web:localhost%3A8787",
          iss: "http://localhost:8787",
          client_id: clientId,
          cnf: { jkt }
        })
        assert.strictEqual(tokens.expiresIn, 900)
        assert.strictEqual(tokens.granted, granted)
        assert.match(tokens.refreshToken ?? "", /^ref\.[\w-]+\.ses-public\.[\w-]{43}$/)
      })
    )

    check(
      "find and peek return a session as it was opened",
      Effect.gen(function* () {
        const { sessions, first } = yield* opened(confidentialSession)
        const { refreshable: _, agreedAt: __, from: ___, ...given } = confidentialSession
        const session = {
          ...given,
          createdAt: start,
          refreshedAt: start,
          expiresAt: start + 180 * 86_400_000
        }
        assert.deepStrictEqual(sessions.find(session.id), session)
        assert.deepStrictEqual(yield* sessions.peek(first, jkt), session)
        assert.deepStrictEqual(yield* sessions.list, [{ ...session, from: {} }])
        assert.isUndefined(sessions.find("ses-other"))
      })
    )

    check(
      "list returns where the user agreed to each session, until the session ends",
      Effect.gen(function* () {
        const from = { userAgent: "Mozilla/5.0 (X11; Linux) Firefox/140.0", place: "Łódź, Poland" }
        const { sessions } = yield* opened({ ...confidentialSession, from })
        assert.deepStrictEqual(
          (yield* sessions.list).map((session) => session.from),
          [from]
        )
        const sql = yield* SqlStorage
        const origins = () => sql.exec("SELECT * FROM oauth_origin").toArray().length
        assert.strictEqual(origins(), 1)
        yield* sessions.end(confidentialSession.id)
        assert.strictEqual(origins(), 0)
      })
    )

    check(
      "the database contains only hashes of tokens",
      Effect.gen(function* () {
        const { tokens, first } = yield* opened()
        const next = yield* refresh(first)
        const text = JSON.stringify(yield* stored)
        for (const token of [tokens.accessToken, first, next.accessToken, next.refreshToken!]) {
          assert.notInclude(text, token)
          assert.notInclude(text, token.slice(-43))
        }
      })
    )

    check(
      "checkAccess verifies account, type, signature and age",
      Effect.gen(function* () {
        const { sessions, tokens, first } = yield* opened()
        const judge = (token: string, owner = did) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            Effect.fromResult(sessions.checkAccess(owner, parseJwt(token), now))
          )
        assert.deepStrictEqual(yield* judge(tokens.accessToken), {
          session: "ses-public",
          clientId,
          jkt
        })
        for (const wrong of [
          `${tokens.accessToken}A`,
          tokens.accessToken.slice(0, -1),
          "not a token",
          first
        ]) {
          assert.strictEqual((yield* Effect.flip(judge(wrong))).error, "invalid_token")
        }
        yield* Effect.flip(judge(tokens.accessToken, "did:web:b.test"))
        yield* TestClock.adjust("899 seconds")
        yield* judge(tokens.accessToken)
        yield* TestClock.adjust("1 second")
        const late = yield* Effect.flip(judge(tokens.accessToken))
        assert.strictEqual(late.message, "Token has expired")
      })
    )

    check(
      "refresh returns new tokens with the current grant",
      Effect.gen(function* () {
        const { sessions, first } = yield* opened()
        yield* TestClock.adjust("10 minutes")
        const next = yield* refresh(first, { granted: "atproto" })
        assert.strictEqual(next.granted, "atproto")
        assert.notStrictEqual(next.refreshToken, first)
        const session = sessions.find("ses-public")
        assert.strictEqual(session?.granted, "atproto")
        assert.strictEqual(session?.scope, publicSession.scope)
        assert.strictEqual(session?.refreshedAt, start + 600_000)
        const claims = parseJwt(next.accessToken)?.claims
        assert.strictEqual(claims?.["iat"], start / 1000 + 600)
        yield* refresh(next.refreshToken!)
      })
    )

    check(
      "peek doesn't use up a refresh token",
      Effect.gen(function* () {
        const { sessions, first } = yield* opened()
        yield* sessions.peek(first, jkt)
        yield* sessions.peek(first, jkt)
        yield* refresh(first)
      })
    )

    check(
      "a refresh token that is refreshed or peeked again ends the session",
      Effect.gen(function* () {
        for (const again of ["refresh", "peek"] as const) {
          const { sessions, first } = yield* opened({ ...publicSession, id: `ses-${again}` })
          const second = yield* refresh(first)
          const third = yield* refresh(second.refreshToken!)
          // The session was refreshed since, so a recent use is no excuse.
          const use =
            again === "refresh" ? Effect.asVoid(refresh(first)) : sessions.peek(first, jkt)
          assert.strictEqual(yield* reason(use), "replayed")
          assert.isUndefined(sessions.find(`ses-${again}`))
          assert.strictEqual(yield* reason(refresh(third.refreshToken!)), "unknown")
        }
      })
    )

    check(
      "concurrent refreshes with one token and one key return the same tokens",
      Effect.gen(function* () {
        const { sessions, first } = yield* opened()
        const both = yield* Effect.all([refresh(first), refresh(first)], {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(both[0], both[1])
        yield* refresh(both[0].refreshToken!)
        assert.isDefined(sessions.find("ses-public"))
      })
    )

    check(
      "a token and its key get the same response for thirty seconds, also after a peek",
      Effect.gen(function* () {
        const { sessions, first } = yield* opened()
        yield* TestClock.adjust("10 minutes")
        const answer = yield* refresh(first)
        yield* TestClock.adjust("30 seconds")
        yield* sessions.peek(first, jkt)
        assert.deepStrictEqual(yield* refresh(first), answer)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* reason(sessions.peek(first, jkt)), "replayed")
        assert.isUndefined(sessions.find("ses-public"))
      })
    )

    check(
      "a used refresh token with another key ends the session, however soon",
      Effect.gen(function* () {
        for (const again of ["refresh", "peek"] as const) {
          const { sessions, first } = yield* opened({ ...publicSession, id: `ses-${again}` })
          yield* refresh(first)
          const use =
            again === "refresh"
              ? Effect.asVoid(refresh(first, { jkt: "other" }))
              : sessions.peek(first, "other")
          assert.strictEqual(yield* reason(use), "replayed")
          assert.isUndefined(sessions.find(`ses-${again}`))
        }
      })
    )

    check(
      "a stranger who knows a session's id can't end it",
      Effect.gen(function* () {
        const { sessions, first } = yield* opened()
        const other = yield* opened({ ...publicSession, id: "ses-other" })
        const secretOf = (token: string) => token.slice(-43)
        const head = first.slice(0, -43)
        for (const secret of ["A".repeat(43), secretOf(other.first), "z".repeat(43)]) {
          assert.strictEqual(yield* reason(sessions.peek(head + secret, jkt)), "unknown")
          assert.strictEqual(yield* reason(refresh(head + secret)), "unknown")
          yield* sessions.revoke(head + secret, clientId)
        }
        for (const nonsense of ["", "ref", "ref...", first.slice(0, -1), `${first}A`]) {
          assert.strictEqual(yield* reason(refresh(nonsense)), "unknown")
        }
        yield* refresh(first)
      })
    )

    check(
      "a refresh token with another client or key is rejected but not used up",
      Effect.gen(function* () {
        const { first } = yield* opened()
        assert.strictEqual(yield* reason(refresh(first, { clientId: "other" })), "other client")
        assert.strictEqual(yield* reason(refresh(first, { jkt: "other" })), "other key")
        yield* refresh(first)
      })
    )

    check(
      "a public client's session ends after two weeks, however often it is refreshed",
      Effect.gen(function* () {
        const { sessions, first } = yield* opened()
        yield* TestClock.adjust("13 days")
        const second = yield* refresh(first)
        assert.strictEqual(sessions.find("ses-public")?.expiresAt, start + 14 * 86_400_000)
        yield* TestClock.adjust("86390 seconds")
        const third = yield* refresh(second.refreshToken!)
        assert.strictEqual(third.expiresIn, 10)
        const exp = parseJwt(third.accessToken)?.claims["exp"]
        assert.strictEqual(exp, start / 1000 + 14 * 86_400)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(yield* reason(refresh(third.refreshToken!)), "expired")
        assert.deepStrictEqual(yield* sessions.list, [])
      })
    )

    check(
      "a confidential client's session lasts 180 days from its last refresh",
      Effect.gen(function* () {
        const { first } = yield* opened(confidentialSession)
        const use = { clientId: confidentialSession.clientId }
        yield* TestClock.adjust("179 days")
        const second = yield* refresh(first, use)
        yield* TestClock.adjust("179 days")
        const third = yield* refresh(second.refreshToken!, use)
        yield* TestClock.adjust("180 days")
        assert.strictEqual(yield* reason(refresh(third.refreshToken!, use)), "expired")
      })
    )

    check(
      "a client that may not refresh gets no refresh token, and its session ends with the access token",
      Effect.gen(function* () {
        const { sessions, tokens } = yield* opened({ ...publicSession, refreshable: false })
        assert.isUndefined(tokens.refreshToken)
        assert.strictEqual(tokens.expiresIn, 900)
        assert.strictEqual(sessions.find("ses-public")?.expiresAt, start + 900_000)
      })
    )

    check(
      "an id opens once, and never after it ended",
      Effect.gen(function* () {
        const { sessions } = yield* opened()
        assert.strictEqual(yield* reason(opened()), "replayed")
        yield* sessions.end("ses-late")
        assert.strictEqual(yield* reason(opened({ ...publicSession, id: "ses-late" })), "replayed")
        assert.isUndefined(sessions.find("ses-late"))
      })
    )

    check(
      "revoke accepts the access token, even expired, and any of its refresh tokens",
      Effect.gen(function* () {
        const open = (id: string) => opened({ ...publicSession, id })
        const [a, b, c] = [yield* open("ses-a"), yield* open("ses-b"), yield* open("ses-c")]
        const { sessions } = a
        const next = yield* refresh(c.first)
        yield* TestClock.adjust("1 hour")
        yield* sessions.revoke(a.tokens.accessToken, clientId)
        assert.isUndefined(sessions.find("ses-a"))
        yield* sessions.revoke(b.first, clientId)
        assert.isUndefined(sessions.find("ses-b"))
        yield* sessions.revoke("unknown", clientId)
        yield* sessions.revoke(`${next.accessToken}A`, clientId)
        yield* sessions.revoke(c.first, confidentialSession.clientId)
        yield* sessions.revoke(next.accessToken, confidentialSession.clientId)
        assert.isDefined(sessions.find("ses-c"))
        yield* sessions.revoke(c.first, clientId)
        assert.isUndefined(sessions.find("ses-c"))
      })
    )

    check(
      "a consent is kept until the owner ends a session of the client",
      Effect.gen(function* () {
        const { sessions, first } = yield* opened(confidentialSession)
        const { clientId: client } = confidentialSession
        assert.isUndefined(yield* sessions.consented(client))
        yield* sessions.rememberConsent(client, "atproto")
        yield* sessions.rememberConsent(client, "atproto transition:generic")
        yield* sessions.rememberConsent("other", "atproto")
        assert.strictEqual(yield* sessions.consented(client), "atproto transition:generic")
        yield* sessions.revoke(first, client)
        assert.strictEqual(yield* sessions.consented(client), "atproto transition:generic")
        yield* opened({ ...confidentialSession, id: "ses-again" })
        yield* sessions.end("ses-again")
        assert.isUndefined(yield* sessions.consented(client))
        assert.strictEqual(yield* sessions.consented("other"), "atproto")
      })
    )

    check(
      "at most a thousand consents and a thousand ended sessions are kept",
      Effect.gen(function* () {
        const sessions = yield* OAuthSessions
        const sql = yield* SqlStorage
        for (let at = 0; at < budget.consents; at++) {
          sql.exec("INSERT INTO oauth_consent VALUES (?, 'atproto')", `client ${at}`)
        }
        yield* sessions.rememberConsent("client more", "atproto")
        yield* sessions.rememberConsent("client 1", "atproto repo:*")
        assert.isUndefined(yield* sessions.consented("client more"))
        assert.strictEqual(yield* sessions.consented("client 1"), "atproto repo:*")
        yield* sessions.endAll
        for (let at = 0; at <= budget.over; at++) yield* sessions.end(`ses-${at}`)
        const ids = sql.exec<{ id: string }>("SELECT id FROM oauth_over").toArray()
        assert.deepStrictEqual(ids, [{ id: "" }])
        // No unredeemed code opens what has ended.
        assert.strictEqual(
          yield* reason(sessions.open(did, { ...publicSession, id: "ses-1" })),
          "ended"
        )
        assert.strictEqual(yield* reason(sessions.open(did, publicSession)), "ended")
      })
    )

    check(
      "endAll ends every session and forgets every consent",
      Effect.gen(function* () {
        const { sessions } = yield* opened()
        yield* opened(confidentialSession)
        yield* sessions.rememberConsent("other", "atproto")
        yield* sessions.endAll
        assert.deepStrictEqual(yield* sessions.list, [])
        assert.isUndefined(sessions.find("ses-public"))
        assert.isUndefined(yield* sessions.consented("other"))
      })
    )

    check(
      "a session agreed to before endAll is not opened",
      Effect.gen(function* () {
        const { sessions } = yield* opened()
        yield* TestClock.adjust("1 second")
        yield* sessions.endAll
        const late = sessions.open(did, { ...publicSession, id: "ses-late" })
        assert.strictEqual(yield* reason(late), "ended")
        yield* TestClock.adjust("1 millis")
        yield* opened({ ...publicSession, id: "ses-new" })
        assert.deepStrictEqual(
          (yield* sessions.list).map(({ id }) => id),
          ["ses-new"]
        )
      })
    )

    check(
      "a code can be redeemed for ten minutes at most",
      Effect.gen(function* () {
        const sessions = yield* OAuthSessions
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(yield* reason(sessions.open(did, publicSession)), "ended")
      })
    )

    check(
      "sweep removes expired sessions once a day",
      Effect.gen(function* () {
        const { sessions } = yield* opened()
        yield* sessions.sweep
        yield* TestClock.adjust("14 days")
        yield* opened(confidentialSession)
        yield* sessions.sweep
        const left = (yield* stored).map(({ id }) => id)
        assert.deepStrictEqual(left, ["ses-confidential"])
        yield* opened({ ...publicSession, id: "ses-short", refreshable: false })
        yield* TestClock.adjust("23 hours")
        yield* sessions.sweep
        assert.lengthOf(yield* stored, 2)
        yield* TestClock.adjust("1 hour")
        yield* sessions.sweep
        assert.lengthOf(yield* stored, 1)
      })
    )

    check(
      "the thousand and first session ends the oldest, counting those that ended before",
      Effect.gen(function* () {
        const sessions = yield* OAuthSessions
        const openNext = Effect.gen(function* () {
          yield* TestClock.adjust("1 seconds")
          const id = newSessionId(sessionKinds.oauth, yield* Clock.currentTimeMillis)
          yield* opened({ ...publicSession, id })
          return id
        })
        const first = yield* openNext
        const copies = yield* copySession("oauth_session", first, 989)
        const ids = [first, ...copies, ...(yield* Effect.replicateEffect(openNext, 10))]
        yield* sessions.end(ids[500]!)
        yield* openNext
        assert.isDefined(sessions.find(ids[0]!))
        yield* openNext
        assert.isUndefined(sessions.find(ids[0]!))
        assert.isDefined(sessions.find(ids[1]!))
        assert.lengthOf(yield* stored, 1000)
      })
    )

    const proof = { jkt, jti: "one", nonce: "nonce", issued: start, expires: start + 300_000 }

    check(
      "a proof is accepted once, and never after it may have been forgotten",
      Effect.gen(function* () {
        const { sessions } = yield* opened()
        const use = (changed: Partial<typeof proof>) =>
          Effect.map(Clock.currentTimeMillis, (now) =>
            sessions.useProof("ses-public", { ...proof, ...changed }, now)
          )
        assert.deepStrictEqual(yield* use({}), { kind: "fresh" })
        assert.notStrictEqual((yield* use({})).kind, "fresh")
        // An object sleeps after ten seconds without a call, so a later proof can't have been used.
        assert.strictEqual((yield* use({ jti: "two", issued: start + 10_000 })).kind, "fresh")
        assert.strictEqual(
          (yield* use({ jti: "one", issued: start + 10_000 })).kind === "fresh",
          false
        )
      })
    )

    check(
      "a session's proofs are forgotten with the session",
      Effect.gen(function* () {
        const { sessions, first } = yield* opened()
        sessions.useProof("ses-public", proof, start)
        yield* sessions.revoke(first, clientId)
        const rows = (yield* SqlStorage).exec("SELECT * FROM oauth_proof").toArray()
        assert.deepStrictEqual(rows, [])
      })
    )

    check(
      "a session bills two rows to open, one to refresh or consent, two to revoke, and four while its code is recent",
      Effect.gen(function* () {
        const id = () => newSessionId(sessionKinds.oauth, start)
        const { first } = yield* opened({ ...publicSession, id: id() })
        const old = yield* opened({ ...publicSession, id: id() })
        const written = <A, E>(use: (sessions: OAuthSessions["Service"]) => Effect.Effect<A, E>) =>
          rowsWritten(Effect.flatMap(OAuthSessions, use))
        const open = written((sessions) => sessions.open(did, { ...confidentialSession, id: id() }))
        // The first sign-in by an app is an entry in the account's history, one row more.
        assert.strictEqual(yield* open, 3)
        assert.strictEqual(yield* open, 2)
        assert.strictEqual(yield* rowsWritten(refresh(first)), 1)
        assert.strictEqual(yield* written((sessions) => sessions.revoke(first, clientId)), 4)
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(yield* written((sessions) => sessions.revoke(old.first, clientId)), 2)
        const agree = yield* written((sessions) => sessions.rememberConsent(clientId, "atproto"))
        assert.strictEqual(agree, 1)
      })
    )

    check(
      "the proofs of some seconds bill one row",
      Effect.gen(function* () {
        yield* opened()
        const use = (jti: string, after: number) =>
          rowsWritten(
            Effect.map(OAuthSessions, (sessions) =>
              sessions.useProof("ses-public", { ...proof, jti, issued: start + after }, start)
            )
          )
        assert.strictEqual(yield* use("one", 0), 1)
        assert.strictEqual(yield* use("two", 4999), 0)
        assert.strictEqual(yield* use("three", 5000), 1)
      })
    )
  })
