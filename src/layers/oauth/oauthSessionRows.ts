import type { ClientAuth } from "../../core/oauth/types.ts"
import { type SeenFrom, seenFrom } from "../../core/sessions/seenFrom.ts"
import type { OAuthSession, SeenOAuthSession } from "../../services/oauth/OAuthSessions.ts"
import type { SqlStorage, SqlValue } from "../../services/host/SqlStorage.ts"
import * as KeptKeys from "../sessions/KeptKeysSqlite.ts"
import * as Counts from "../sessions/sessionCounts.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/**
 * One row a session: `current` is the hash of its newest refresh token, null without one. A refresh
 * updates this one row. Each client's consent is a row of its own.
 *
 * `oauth_over` has recently ended sessions, and an empty id if all were ended: unredeemed codes
 * open none of them. `oauth_proof` has the latest time, by the client's clock, at which a session's
 * proofs may have been used.
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
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS oauth_over (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS oauth_origin (
    session TEXT PRIMARY KEY, user_agent TEXT, place TEXT
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS oauth_proof (
    session TEXT PRIMARY KEY, used_until INTEGER NOT NULL
  ) WITHOUT ROWID`,
  ...Counts.tables,
  ...KeptKeys.tables
]

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

interface SeenRow extends Row {
  user_agent: string | null
  place: string | null
}

/** A session and the hash of its newest refresh token. */
export interface Kept {
  readonly session: OAuthSession
  readonly current: string | null
}

const fromRow = (row: Row): Kept => ({
  current: row.current,
  session: {
    id: row.id,
    clientId: row.client,
    // SAFETY: `insert` wrote it, from a value of this type.
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

/** The most session rows in memory. */
const maxKept = 100

/**
 * The rows of OAuth sessions. Every call looks up its session, so rows are cached until one of them
 * changes.
 */
export const rowsOver = (sql: SqlStorage["Service"]) => {
  const kept = new Map<string, Kept>()

  /** Changes session rows and clears the cache. */
  const change = (query: string, ...bindings: ReadonlyArray<SqlValue>): void => {
    kept.clear()
    sql.exec(query, ...bindings)
  }

  return {
    change,
    find: (id: string): Kept | undefined => {
      const known = kept.get(id)
      if (known !== undefined) return known
      const [row] = sql.exec<Row>("SELECT * FROM oauth_session WHERE id = ?", id).toArray()
      if (row === undefined) return undefined
      const found = fromRow(row)
      if (kept.size < maxKept) kept.set(id, found)
      return found
    },
    list: (now: number): Array<SeenOAuthSession> =>
      sql
        .exec<SeenRow>(
          `SELECT oauth_session.*, user_agent, place FROM oauth_session
            LEFT JOIN oauth_origin ON session = id WHERE expires_at > ? ORDER BY created_at, id`,
          now
        )
        .toArray()
        .map((row) => ({ ...fromRow(row).session, from: seenFrom(row.user_agent, row.place) })),
    insert: ({ session, current }: Kept, { userAgent, place }: SeenFrom): void => {
      change(
        "INSERT INTO oauth_session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        session.id,
        session.clientId,
        JSON.stringify(session.clientAuth),
        session.jkt,
        session.scope,
        session.granted,
        session.device,
        session.createdAt,
        session.refreshedAt,
        session.expiresAt,
        current
      )
      if (userAgent === undefined && place === undefined) return
      sql.exec(
        "INSERT INTO oauth_origin VALUES (?, ?, ?)",
        session.id,
        userAgent ?? null,
        place ?? null
      )
    }
  }
}

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  oauth_session: {
    filledBy: "apps",
    bound: "1,000 sessions; the oldest goes",
    bytes: 1000 * 128 * 1024,
    per: "account"
  },
  oauth_consent: {
    filledBy: "its owner",
    bound: "1,000 clients, then another is asked for each time",
    bytes: 1000 * 24 * 1024,
    per: "account"
  },
  oauth_over: {
    filledBy: "apps",
    bound: "1,000 sessions that ended, 10 minutes each",
    bytes: 1001 * 1024,
    per: "account"
  },
  oauth_origin: {
    filledBy: "apps",
    bound: "one row a session",
    bytes: 1000 * 2 * 1024,
    per: "account"
  },
  oauth_proof: {
    filledBy: "apps",
    bound: "one row a session",
    bytes: 1000 * 1024,
    per: "account"
  }
})
