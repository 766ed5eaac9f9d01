import { randomBytes } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { seenFrom } from "../../core/sessions/seenFrom.ts"
import { newSessionId, sessionKinds } from "../../core/sessions/sessionId.ts"
import {
  accessToken,
  checkAccess,
  checkRefresh,
  type Level,
  refreshToken
} from "../../core/sessions/sessionToken.ts"
import { toBase64Url } from "../../core/bytes/base64url.ts"
import { sha256 } from "../../core/repo/cid.ts"
import { Denied } from "../../services/sessions/Auth.ts"
import { AccountHistory, seenAs } from "../../services/accounts/AccountHistory.ts"
import { Config } from "../../services/host/Config.ts"
import { type Session, SessionEnded, Sessions } from "../../services/sessions/Sessions.ts"
import { SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import * as KeptKeys from "./KeptKeysSqlite.ts"
import * as Counts from "./sessionCounts.ts"
import { refreshChain } from "./refreshChain.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { spanned } from "../../services/operators/spanned.ts"

/**
 * One row a session: `current` is the hash of its refresh token, `recent` has the hashes of those
 * used less than two hours ago with the time of their first use. A refresh updates this one row.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY, level TEXT NOT NULL, app_password TEXT,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    current TEXT NOT NULL, recent TEXT NOT NULL
  ) WITHOUT ROWID`,
  // A separate table, because the previous version must still be able to write sessions.
  `CREATE TABLE IF NOT EXISTS session_origin (
    session TEXT PRIMARY KEY, user_agent TEXT, place TEXT
  ) WITHOUT ROWID`,
  ...Counts.tables,
  ...KeptKeys.tables
]

/** How long a used refresh token still returns the same next one, in milliseconds. */
export const grace = 2 * 60 * 60 * 1000

/** The most session rows in memory. */
const maxKept = 100

/** The most used tokens that a session remembers: a client refreshes about once an hour. */
const maxRecent = 128

interface Row extends Record<string, SqlValue> {
  id: string
  level: string
  app_password: string | null
  created_at: number
  expires_at: number
  current: string
  recent: string
}

interface SeenRow extends Row {
  user_agent: string | null
  place: string | null
}

type Used = readonly [hash: string, at: number]

// SAFETY: `open` wrote the level from a value of this type.
const fromRow = (row: Row): Session => ({
  id: row.id,
  level: row.level as Level,
  appPassword: row.app_password ?? undefined,
  createdAt: row.created_at,
  expiresAt: row.expires_at
})

const hashOf = (token: string): string => toBase64Url(sha256(token))

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000)

type Needs = SqlStorage | AccountHistory | Config

/** An account's sessions in the object's SQLite. */
export const layer: Layer.Layer<Sessions, never, Needs> = Layer.effect(
  Sessions,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const history = yield* AccountHistory
    const config = yield* Config
    const { lifetimes, serviceDid: service } = config
    const keys = KeptKeys.keptKeys(sql, config, "session tokens")
    const key = keys.current
    const isSigned = KeptKeys.verifier(keys)
    const chain = refreshChain(KeptKeys.keptKeys(sql, config, "refresh chain"), hashOf)

    const tokensOf = (did: string, session: Session, token: string, now: number) => ({
      accessJwt: accessToken(key, { service, did }, session, {
        now: seconds(now),
        life: seconds(lifetimes.accessToken)
      }),
      refreshJwt: refreshToken(
        key,
        { service, did },
        { id: token, session: session.id, expires: seconds(session.expiresAt) },
        seconds(now)
      )
    })

    // Every write looks up its session, so the rows are cached until one of them changes.
    const kept = new Map<string, Row>()

    const row = (id: string): Row | undefined => {
      const known = kept.get(id)
      if (known !== undefined) return known
      const found = sql.exec<Row>("SELECT * FROM session WHERE id = ?", id).toArray()[0]
      if (found !== undefined && kept.size < maxKept) kept.set(id, found)
      return found
    }

    /** The session of an adopted refresh token, which doesn't name it. */
    const holderOf = (token: string): string => {
      const hash = hashOf(token)
      const query = "SELECT id FROM session WHERE current = ? OR instr(recent, ?) > 0"
      return sql.exec<{ id: string }>(query, hash, hash).toArray()[0]?.id ?? ""
    }

    /** Changes session rows and clears the cache. */
    const change = (query: string, ...bindings: ReadonlyArray<SqlValue>): void => {
      kept.clear()
      sql.exec(query, ...bindings)
    }

    const counts = Counts.sessionCounts(sql, "session", [
      sessionKinds.own,
      sessionKinds.appPassword
    ])

    const forget = (id: string): void => {
      change("DELETE FROM session WHERE id = ?", id)
      sql.exec("DELETE FROM session_origin WHERE session = ?", id)
    }

    const remove = (id: string): void => {
      if (row(id) === undefined) return
      sql.transaction(() => {
        forget(id)
        counts.left(id)
      })
    }

    /** Changes any number of session rows and recounts. */
    const changeMany = (query: string, ...bindings: ReadonlyArray<SqlValue>): void =>
      sql.transaction(() => {
        change(query, ...bindings)
        sql.exec("DELETE FROM session_origin WHERE session NOT IN (SELECT id FROM session)")
        counts.recount()
      })

    const open = spanned("Sessions.open")(function* (
      did: string,
      { level, appPassword, from = {}, isFirst }: Parameters<Sessions["Service"]["open"]>[1]
    ) {
      const now = yield* Clock.currentTimeMillis
      const kind = appPassword === undefined ? sessionKinds.own : sessionKinds.appPassword
      const session: Session = {
        id: newSessionId(kind, now),
        level,
        appPassword,
        createdAt: now,
        expiresAt: now + lifetimes.session
      }
      const token = randomBytes(32).toString("base64")
      sql.transaction(() => {
        for (const oldest of counts.admit(kind)) forget(oldest)
        change(
          "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, '[]')",
          session.id,
          level,
          appPassword ?? null,
          now,
          session.expiresAt,
          hashOf(token)
        )
        const { userAgent, place } = from
        if (userAgent !== undefined || place !== undefined) {
          sql.exec(
            "INSERT INTO session_origin VALUES (?, ?, ?)",
            session.id,
            userAgent ?? null,
            place ?? null
          )
        }
        if (isFirst === true) return
        const event = { kind: "sign-in", ...seenAs(from) } as const
        if (appPassword === undefined) history.signedIn({ ...event, way: "password" }, now)
        else history.signedIn({ ...event, way: "app password", subject: appPassword }, now)
      })
      return tokensOf(did, session, token, now)
    })

    const demandsAt = (now: number, did: string) => ({
      isSigned: isSigned(now),
      service,
      did,
      now: seconds(now)
    })

    const refresh = spanned("Sessions.refresh")(function* (did: string, id: string, token: string) {
      const now = yield* Clock.currentTimeMillis
      const found = row(id)
      if (found === undefined || found.expires_at <= now) {
        return yield* new SessionEnded({ session: id })
      }
      const used = hashOf(token)
      // SAFETY: only the code below writes the column.
      const recent = (JSON.parse(found.recent) as Array<Used>).filter(([, at]) => at + grace > now)
      if (used === found.current) {
        const next = chain.next(token)
        const expiresAt = now + lifetimes.session
        change(
          "UPDATE session SET current = ?, recent = ?, expires_at = ? WHERE id = ?",
          hashOf(next),
          JSON.stringify([...recent, [used, now]].slice(-maxRecent)),
          expiresAt,
          id
        )
        const session = { ...fromRow(found), expiresAt }
        return { ...tokensOf(did, session, next, now), ...session }
      }
      if (!recent.some(([hash]) => hash === used)) {
        remove(id)
        return yield* new SessionEnded({ session: id })
      }
      const session = fromRow(found)
      const again = chain.nextAgain(token, [found.current, ...recent.map(([hash]) => hash)], now)
      return { ...tokensOf(did, session, again, now), ...session }
    })

    return Sessions.of({
      open,
      refresh,
      checkAccess: (did, token, now) =>
        Result.mapError(checkAccess(token, demandsAt(now, did)), (fault) => new Denied(fault)),
      checkRefresh: Effect.fnUntraced(function* (did, token, options) {
        const demands = demandsAt(yield* Clock.currentTimeMillis, did)
        const checked = checkRefresh(token, { ...demands, ...options })
        if (Result.isFailure(checked)) return yield* new Denied(checked.failure)
        const { session, token: id } = checked.success
        return { session: session ?? holderOf(id), token: id }
      }),
      find: (id) => {
        const found = row(id)
        return found && fromRow(found)
      },
      list: Effect.map(Clock.currentTimeMillis, (now) =>
        sql
          .exec<SeenRow>(
            `SELECT session.*, user_agent, place FROM session
              LEFT JOIN session_origin ON session = id
              WHERE expires_at > ? ORDER BY created_at, id`,
            now
          )
          .toArray()
          .map((seen) => ({ ...fromRow(seen), from: seenFrom(seen.user_agent, seen.place) }))
      ),
      end: (id) => Effect.sync(() => remove(id)),
      endOfAppPassword: (name) => changeMany("DELETE FROM session WHERE app_password = ?", name),
      endAll: (options) =>
        Effect.sync(() => changeMany("DELETE FROM session WHERE id <> ?", options?.except ?? "")),
      sweep: Effect.map(Clock.currentTimeMillis, (now) =>
        sql.transaction(() => {
          if (counts.isSweepDue(now)) changeMany("DELETE FROM session WHERE expires_at <= ?", now)
        })
      )
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  session: {
    filledBy: "its owner, app passwords",
    bound: "1,000 sessions of each of the two; the oldest goes",
    bytes: 2000 * 16 * 1024,
    per: "account"
  },
  session_origin: {
    filledBy: "its owner, app passwords",
    bound: "one row a session",
    bytes: 2000 * 2 * 1024,
    per: "account"
  }
})
