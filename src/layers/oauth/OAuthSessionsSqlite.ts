import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { parseJwt } from "../../core/sessions/jwt.ts"
import { sessionKinds } from "../../core/sessions/sessionId.ts"
import { accessToken, checkAccessToken, sessionOfAccess } from "../../core/oauth/accessToken.ts"
import { readRefreshToken } from "../../core/oauth/refreshToken.ts"
import type { ClientAuth } from "../../core/oauth/types.ts"
import { AccountHistory, noter, seenAs } from "../../services/accounts/AccountHistory.ts"
import { OAuthDenied } from "../../services/sessions/Auth.ts"
import { Config, type Lifetimes } from "../../services/host/Config.ts"
import {
  GrantEnded,
  type NewOAuthSession,
  type OAuthSession,
  OAuthSessions
} from "../../services/oauth/OAuthSessions.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import { hashOf, refreshTokens } from "./refreshTokens.ts"
import { rowsOver } from "./oauthSessionRows.ts"
import { keptKeys, verifier } from "../sessions/KeptKeysSqlite.ts"
import { sessionCounts } from "../sessions/sessionCounts.ts"
import { endedSessions, mostEnded } from "./endedSessions.ts"
import { make as usedProofs } from "./usedProofs.ts"
import { spanned } from "../../services/operators/spanned.ts"

export { tables } from "./oauthSessionRows.ts"

/** How long a code may stay unredeemed and an ended session is remembered, in milliseconds. */
const onTheWay = 10 * 60 * 1000

/** How long the previous refresh token returns the same response, in ms: two tabs may refresh. */
const sameAnswer = 30 * 1000

/** The most remembered consents, and the most ended sessions remembered for unredeemed codes. */
export const budget = { consents: 1000, over: mostEnded }

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000)

/** When a session that is opened or refreshed now expires. */
const expiry = (life: Lifetimes, auth: ClientAuth, createdAt: number, now: number): number =>
  auth.method === "none" ? createdAt + life.oauthPublicSession : now + life.oauthConfidentialSession

const ended = (reason: GrantEnded["reason"]) => new GrantEnded({ reason })

type Needs = SqlStorage | AccountHistory | Config

/** An account's OAuth sessions in the object's SQLite. */
export const layer: Layer.Layer<OAuthSessions, never, Needs> = Layer.effect(
  OAuthSessions,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const history = yield* AccountHistory
    const config = yield* Config
    const { lifetimes, serviceDid: audience, publicUrl: issuer } = config
    const keys = keptKeys(sql, config, "oauth access tokens")
    const key = keys.current
    const isSigned = verifier(keys)
    const tokens = refreshTokens(keptKeys(sql, config, "oauth refresh tokens"))

    const rows = rowsOver(sql)
    const counts = sessionCounts(sql, "oauth_session", [sessionKinds.oauth])

    const find = (id: string): OAuthSession | undefined => rows.find(id)?.session

    const over = endedSessions(sql)

    /** Ends a session and prevents its code from opening it. */
    const remove = ({ id, createdAt }: OAuthSession, now: number): void =>
      sql.transaction(() => {
        if (createdAt + onTheWay > now) over.note(id, now)
        rows.change("DELETE FROM oauth_session WHERE id = ?", id)
        sql.exec("DELETE FROM oauth_origin WHERE session = ?", id)
        sql.exec("DELETE FROM oauth_proof WHERE session = ?", id)
        counts.left(id)
      })

    const tokensOf = (
      did: string,
      { id, clientId, jkt, granted, expiresAt }: OAuthSession,
      refreshToken: string | undefined,
      now: number
    ) => {
      const issued = seconds(now)
      const expires = Math.min(issued + seconds(lifetimes.oauthAccessToken), seconds(expiresAt))
      const parties = { issuer, audience, did }
      const grant = { session: id, clientId, jkt }
      return {
        accessToken: accessToken(key, parties, grant, { issued, expires }),
        refreshToken,
        expiresIn: expires - issued,
        granted
      }
    }

    /** Why a code may not open its session; undefined if it may. */
    const closedTo = (id: string, agreedAt: number, now: number): GrantEnded | undefined => {
      // An intruder may have consented before a new password locked them out.
      const allOver = over.since("") ?? -Infinity
      if (agreedAt <= allOver || agreedAt + onTheWay <= now) return ended("ended")
      // The code came twice concurrently, and the second use ended the session.
      return over.since(id) !== undefined || find(id) !== undefined ? ended("replayed") : undefined
    }

    const open = spanned("OAuthSessions.open")(function* (
      did: string,
      { refreshable, agreedAt, from = {}, ...given }: NewOAuthSession
    ) {
      const now = yield* Clock.currentTimeMillis
      const closed = closedTo(given.id, agreedAt, now)
      if (closed !== undefined) return yield* closed
      const session: OAuthSession = {
        ...given,
        createdAt: now,
        refreshedAt: now,
        expiresAt: refreshable
          ? expiry(lifetimes, given.clientAuth, now, now)
          : now + lifetimes.oauthAccessToken
      }
      const token = refreshable ? tokens.first(did, session.id) : undefined
      sql.transaction(() => {
        for (const oldest of counts.admit(sessionKinds.oauth)) {
          const gone = find(oldest)
          if (gone !== undefined) remove(gone, now)
        }
        rows.insert({ session, current: token === undefined ? null : hashOf(token) }, from)
        const event = { kind: "sign-in", way: "app", app: given.clientId } as const
        history.signedIn({ ...event, ...seenAs(from) }, now)
      })
      return tokensOf(did, session, token, now)
    })

    /**
     * The session of a refresh token: the newest token, or for a short time with the same key the
     * previous one (`again`).
     */
    const sessionFor = (
      token: string,
      jkt: string,
      now: number
    ): Result.Result<{ readonly session: OAuthSession; readonly again?: string }, GrantEnded> => {
      const read = readRefreshToken(token)
      const found = read === undefined ? undefined : rows.find(read.session)
      if (read === undefined || found === undefined) return Result.fail(ended("unknown"))
      const { session, current } = found
      const isNewest = current === hashOf(token)
      // A token of a server that was adopted has no tag, so the next one has to name it.
      const again = isNewest ? undefined : tokens.issuedAfter(read, token, current, now)
      const isKnown = isNewest || again !== undefined || tokens.isIssued(read.session, token, now)
      if (!isKnown) return Result.fail(ended("unknown"))
      if (session.expiresAt <= now) return Result.fail(ended("expired"))
      if (isNewest) return Result.succeed({ session })
      const isSoon = jkt === session.jkt && now <= session.refreshedAt + sameAnswer
      if (again !== undefined && isSoon) return Result.succeed({ session, again })
      remove(session, now)
      return Result.fail(ended("replayed"))
    }

    const peek = spanned("OAuthSessions.peek")(function* (token: string, jkt: string) {
      const now = yield* Clock.currentTimeMillis
      const { session } = yield* Effect.fromResult(sessionFor(token, jkt, now))
      return session
    })

    const refresh = spanned("OAuthSessions.refresh")(function* (
      did: string,
      token: string,
      use: { readonly clientId: string; readonly jkt: string; readonly granted: string }
    ) {
      const now = yield* Clock.currentTimeMillis
      const found = yield* Effect.fromResult(sessionFor(token, use.jkt, now))
      const before = found.session
      if (before.clientId !== use.clientId) return yield* ended("other client")
      if (before.jkt !== use.jkt) return yield* ended("other key")
      if (found.again !== undefined) return tokensOf(did, before, found.again, before.refreshedAt)
      const next = tokens.after(did, before.id, token)
      const session: OAuthSession = {
        ...before,
        granted: use.granted,
        refreshedAt: now,
        expiresAt: expiry(lifetimes, before.clientAuth, before.createdAt, now)
      }
      rows.change(
        "UPDATE oauth_session SET granted = ?, refreshed_at = ?, expires_at = ?, current = ? WHERE id = ?",
        session.granted,
        now,
        session.expiresAt,
        hashOf(next),
        session.id
      )
      return tokensOf(did, session, next, now)
    })

    /** The session of either token, if this server issued it. */
    const sessionOf = (token: string, now: number): string | undefined => {
      const read = readRefreshToken(token)
      if (read === undefined) return sessionOfAccess(parseJwt(token), isSigned(now))
      const isKnown =
        rows.find(read.session)?.current === hashOf(token) ||
        tokens.isIssued(read.session, token, now)
      return isKnown ? read.session : undefined
    }

    const end = spanned("OAuthSessions.end")(function* (id: string) {
      const now = yield* Clock.currentTimeMillis
      const found = find(id)
      const note = yield* Effect.provideService(noter, AccountHistory, history)
      sql.transaction(() => {
        if (found === undefined) return over.note(id, now)
        remove(found, now)
        sql.exec("DELETE FROM oauth_consent WHERE client = ?", found.clientId)
        note({ kind: "app-removed", app: found.clientId })
      })
    })

    return OAuthSessions.of({
      open,
      peek,
      refresh,
      checkAccess: (did, token, now) => {
        const demands = { isSigned: isSigned(now), issuer, audience, did, now: seconds(now) }
        return Result.mapError(
          checkAccessToken(token, demands),
          (message) => new OAuthDenied({ error: "invalid_token", message })
        )
      },
      find,
      list: Effect.map(Clock.currentTimeMillis, rows.list),
      end,
      endAll: Effect.map(Clock.currentTimeMillis, (now) =>
        sql.transaction(() => {
          over.noteAll(now)
          rows.change("DELETE FROM oauth_session")
          sql.exec("DELETE FROM oauth_origin")
          sql.exec("DELETE FROM oauth_proof")
          sql.exec("DELETE FROM oauth_consent")
          counts.recount()
        })
      ),
      useProof: usedProofs(sql),
      sweep: Effect.map(Clock.currentTimeMillis, (now) =>
        sql.transaction(() => {
          if (!counts.isSweepDue(now)) return
          rows.change("DELETE FROM oauth_session WHERE expires_at <= ?", now)
          for (const table of ["oauth_origin", "oauth_proof"]) {
            sql.exec(`DELETE FROM ${table} WHERE session NOT IN (SELECT id FROM oauth_session)`)
          }
          over.sweep(now - onTheWay)
          counts.recount()
        })
      ),
      revoke: (token, clientId) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const id = sessionOf(token, now)
          const found = id === undefined ? undefined : find(id)
          if (found?.clientId === clientId) remove(found, now)
        }),
      consented: (clientId) =>
        Effect.sync(
          () =>
            sql
              .exec<{ scope: string }>("SELECT scope FROM oauth_consent WHERE client = ?", clientId)
              .toArray()[0]?.scope
        ),
      rememberConsent: (clientId, scope) =>
        Effect.sync(() => {
          // At the limit, a client's consent is not remembered and the user is asked each time.
          sql.exec(
            `INSERT INTO oauth_consent SELECT ?, ? WHERE (SELECT count(*) FROM oauth_consent WHERE client <> ?) < ?
              ON CONFLICT DO UPDATE SET scope = excluded.scope`,
            clientId,
            scope,
            clientId,
            budget.consents
          )
        })
    })
  })
)
