import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parseJwt, rememberingVerifier } from "../auth/jwt.ts"
import { ReplaySet } from "../auth/ReplaySet.ts"
import { toBase64Url } from "../identity/base64url.ts"
import {
  accessToken,
  accessTokenLife,
  checkAccessToken,
  sessionOfAccess
} from "../oauth/accessToken.ts"
import { isGenuine, makeRefreshSecret } from "../oauth/refreshSecret.ts"
import { makeRefreshToken, readRefreshToken } from "../oauth/refreshToken.ts"
import type { ClientAuth } from "../oauth/types.ts"
import { sha256 } from "../repo/cid.ts"
import { OAuthDenied } from "../services/Auth.ts"
import { Config } from "../services/Config.ts"
import { hkdfKey } from "../services/derivedSecrets.ts"
import {
  GrantEnded,
  type NewOAuthSession,
  type OAuthSession,
  OAuthSessions
} from "../services/OAuthSessions.ts"
import { SqlStorage, type SqlValue } from "../services/SqlStorage.ts"

/**
 * One row a session: `current` is the hash of its newest refresh token, null where it has none. A refresh
 * rewrites this one row. What was agreed to for a client is a row of its own.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS oauth_session (
    id TEXT PRIMARY KEY, client TEXT NOT NULL, client_auth TEXT NOT NULL, jkt TEXT NOT NULL,
    scope TEXT NOT NULL, granted TEXT NOT NULL, device TEXT NOT NULL,
    created_at INTEGER NOT NULL, refreshed_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    current TEXT
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS oauth_consent (
    client TEXT PRIMARY KEY, scope TEXT NOT NULL
  ) WITHOUT ROWID`
]

const day = 24 * 60 * 60 * 1000

/** How long a public client's session lives, and each refresh token of a confidential client. */
const publicLife = 14 * day
const confidentialLife = 180 * day

/** Session rows that are kept in memory at most. */
const maxKept = 100

/** How long an ended session's id is not opened any more: longer than a code can be on its way. */
const endedMillis = 10 * 60 * 1000

interface Row extends Record<string, SqlValue> {
  id: string
  client: string
  client_auth: string
  jkt: string
  scope: string
  granted: string
  device: string
  created_at: number
  refreshed_at: number
  expires_at: number
  current: string | null
}

interface Kept {
  readonly session: OAuthSession
  readonly current: string | null
}

const fromRow = (row: Row): Kept => ({
  current: row.current,
  session: {
    id: row.id,
    clientId: row.client,
    // SAFETY: written by `open`, from a value of this very type.
    clientAuth: JSON.parse(row.client_auth) as ClientAuth,
    jkt: row.jkt,
    scope: row.scope,
    granted: row.granted,
    device: row.device,
    createdAt: row.created_at,
    refreshedAt: row.refreshed_at,
    expiresAt: row.expires_at
  }
})

const hashOf = (token: string): string => toBase64Url(sha256(token))

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000)

/** When a session that is opened or refreshed now is over. */
const expiry = (auth: ClientAuth, createdAt: number, now: number): number =>
  auth.method === "none" ? createdAt + publicLife : now + confidentialLife

const ended = (reason: GrantEnded["reason"]) => new GrantEnded({ reason })

/** The OAuth sessions of an account in the object's SQLite. */
export const layer: Layer.Layer<OAuthSessions, never, SqlStorage | Config> = Layer.effect(
  OAuthSessions,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const { masterKey, serviceDid: audience, publicUrl: issuer } = yield* Config
    const key = hkdfKey(masterKey, "oauth access tokens")
    const isSigned = rememberingVerifier(key)
    const secretKey = hkdfKey(masterKey, "oauth refresh tokens")

    // Every call asks which session it is: the rows are kept until one of them changes.
    const kept = new Map<string, Kept>()
    const opened = new ReplaySet(1000)
    let allEndedAt = -Infinity

    const find = (id: string): Kept | undefined => {
      const known = kept.get(id)
      if (known !== undefined) return known
      const [row] = sql.exec<Row>("SELECT * FROM oauth_session WHERE id = ?", id).toArray()
      if (row === undefined) return undefined
      const found = fromRow(row)
      if (kept.size < maxKept) kept.set(id, found)
      return found
    }

    /** Changes session rows; what was kept of them is forgotten. */
    const change = (query: string, ...bindings: ReadonlyArray<SqlValue>): void => {
      kept.clear()
      sql.exec(query, ...bindings)
    }

    const remove = (id: string): void => change("DELETE FROM oauth_session WHERE id = ?", id)

    const newRefreshToken = (did: string, id: string): string =>
      makeRefreshToken({ did, session: id }, makeRefreshSecret(secretKey, id))

    const tokensOf = (
      did: string,
      { id, clientId, jkt, granted, expiresAt }: OAuthSession,
      refreshToken: string | undefined,
      now: number
    ) => {
      const issued = seconds(now)
      const expires = Math.min(issued + accessTokenLife, seconds(expiresAt))
      const parties = { issuer, audience, did }
      const grant = { session: id, clientId, jkt }
      return {
        accessToken: accessToken(key, parties, grant, { issued, expires }),
        refreshToken,
        expiresIn: expires - issued,
        granted
      }
    }

    const open = Effect.fn("OAuthSessions.open")(function* (
      did: string,
      { refreshable, agreedAt, ...given }: NewOAuthSession
    ) {
      const now = yield* Clock.currentTimeMillis
      // Whoever agreed may be whom a new password has shut out since.
      if (agreedAt <= allEndedAt) return yield* ended("ended")
      // The code came twice at once, and the second showing has ended what this one would open.
      if (!opened.use(given.id, now + endedMillis, now)) return yield* ended("replayed")
      const session: OAuthSession = {
        ...given,
        createdAt: now,
        refreshedAt: now,
        expiresAt: refreshable ? expiry(given.clientAuth, now, now) : now + accessTokenLife * 1000
      }
      const refreshToken = refreshable ? newRefreshToken(did, session.id) : undefined
      sql.transaction(() => {
        change("DELETE FROM oauth_session WHERE expires_at <= ?", now)
        change(
          "INSERT INTO oauth_session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          session.id,
          session.clientId,
          JSON.stringify(session.clientAuth),
          session.jkt,
          session.scope,
          session.granted,
          session.device,
          now,
          now,
          session.expiresAt,
          refreshToken === undefined ? null : hashOf(refreshToken)
        )
      })
      return tokensOf(did, session, refreshToken, now)
    })

    /** The session whose newest refresh token this is; a token that was used before ends its session. */
    const current = (token: string, now: number): OAuthSession | GrantEnded => {
      const read = readRefreshToken(token)
      if (read === undefined || !isGenuine(secretKey, read.session, token)) {
        return ended("unknown")
      }
      const found = find(read.session)
      if (found === undefined) return ended("unknown")
      if (found.session.expiresAt <= now) return ended("expired")
      if (found.current === hashOf(token)) return found.session
      remove(read.session)
      return ended("replayed")
    }

    const peek = Effect.fn("OAuthSessions.peek")(function* (token: string) {
      const found = current(token, yield* Clock.currentTimeMillis)
      return "_tag" in found ? yield* found : found
    })

    const refresh = Effect.fn("OAuthSessions.refresh")(function* (
      did: string,
      token: string,
      use: { readonly clientId: string; readonly jkt: string; readonly granted: string }
    ) {
      const now = yield* Clock.currentTimeMillis
      const found = current(token, now)
      if ("_tag" in found) return yield* found
      if (found.clientId !== use.clientId) return yield* ended("other client")
      if (found.jkt !== use.jkt) return yield* ended("other key")
      const next = newRefreshToken(did, found.id)
      const session: OAuthSession = {
        ...found,
        granted: use.granted,
        refreshedAt: now,
        expiresAt: expiry(found.clientAuth, found.createdAt, now)
      }
      change(
        "UPDATE oauth_session SET granted = ?, refreshed_at = ?, expires_at = ?, current = ? WHERE id = ?",
        session.granted,
        now,
        session.expiresAt,
        hashOf(next),
        session.id
      )
      return tokensOf(did, session, next, now)
    })

    /** The session of either token, if this server made it. */
    const sessionOf = (token: string): string | undefined => {
      const read = readRefreshToken(token)
      if (read === undefined) return sessionOfAccess(parseJwt(token), isSigned)
      return isGenuine(secretKey, read.session, token) ? read.session : undefined
    }

    const end = Effect.fn("OAuthSessions.end")(function* (id: string) {
      const now = yield* Clock.currentTimeMillis
      opened.use(id, now + endedMillis, now)
      const found = find(id)
      if (found === undefined) return
      sql.transaction(() => {
        remove(id)
        sql.exec("DELETE FROM oauth_consent WHERE client = ?", found.session.clientId)
      })
    })

    return OAuthSessions.of({
      open,
      peek,
      refresh,
      checkAccess: Effect.fnUntraced(function* (did, token) {
        const now = seconds(yield* Clock.currentTimeMillis)
        const checked = checkAccessToken(token, { isSigned, issuer, audience, did, now })
        if (checked.ok) return checked.value
        return yield* new OAuthDenied({ error: "invalid_token", message: checked.reason })
      }),
      find: (id) => find(id)?.session,
      list: Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const rows = sql.exec<Row>("SELECT * FROM oauth_session WHERE expires_at > ?", now)
        return rows.toArray().map((row) => fromRow(row).session)
      }),
      end,
      endAll: Effect.gen(function* () {
        allEndedAt = yield* Clock.currentTimeMillis
        sql.transaction(() => {
          change("DELETE FROM oauth_session")
          sql.exec("DELETE FROM oauth_consent")
        })
      }),
      revoke: (token, clientId) =>
        Effect.sync(() => {
          const id = sessionOf(token)
          if (id !== undefined && find(id)?.session.clientId === clientId) remove(id)
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
          sql.exec("INSERT OR REPLACE INTO oauth_consent VALUES (?, ?)", clientId, scope)
        })
    })
  })
)
