import { endOfKind, kindOf, type SessionKind } from "../../core/sessions/sessionId.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/**
 * Numbers about sessions: how many there are of a kind, and when a table's expired ones were last
 * removed (ms).
 */
export const tables: ReadonlyArray<string> = [
  "CREATE TABLE IF NOT EXISTS session_note (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID"
]

/** The most sessions of a kind in an account: the oldest is replaced. */
const maxOfKind = 1000

/** How often expired sessions are removed, in milliseconds. */
const sweepEvery = 24 * 60 * 60 * 1000

/** A table of sessions with the id as its key. */
type SessionTable = "session" | "oauth_session"

/** The numbers by name. */
export const notesOver = (sql: SqlStorage["Service"]) => ({
  read: (name: string): number | undefined =>
    sql.exec<{ value: number }>("SELECT value FROM session_note WHERE name = ?", name).toArray()[0]
      ?.value,
  write: (name: string, value: number): void => {
    sql.exec(
      `INSERT INTO session_note VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value
        WHERE value <> excluded.value`,
      name,
      value
    )
  }
})

/**
 * Stores the number of sessions in its own row, so opening one reads no others.
 *
 * Every change of the table calls `admit`, `left` or `recount` in the same transaction.
 */
export const sessionCounts = (
  sql: SqlStorage["Service"],
  table: SessionTable,
  kinds: ReadonlyArray<SessionKind>
) => {
  const sweptName = `swept ${table}`
  let sweptAt: number | undefined

  const { read, write } = notesOver(sql)

  const counted = (kind: SessionKind): number => {
    const query = `SELECT count(*) AS n FROM ${table} WHERE id > ? AND id < ?`
    return sql.exec<{ n: number }>(query, kind, endOfKind(kind)).toArray()[0]?.n ?? 0
  }

  const recount = (): void => {
    for (const kind of kinds) write(kind, counted(kind))
  }

  return {
    recount,
    /** Counts a new session, and returns the ids of those it replaces. */
    admit: (kind: SessionKind): ReadonlyArray<string> => {
      const there = read(kind) ?? counted(kind)
      write(kind, Math.min(there, maxOfKind - 1) + 1)
      if (there < maxOfKind) return []
      const query = `SELECT id FROM ${table} WHERE id > ? AND id < ? ORDER BY id LIMIT ?`
      return sql
        .exec<{ id: string }>(query, kind, endOfKind(kind), there - maxOfKind + 1)
        .toArray()
        .map(({ id }) => id)
    },
    /** Counts a removed session. */
    left: (id: string): void => {
      const kind = kindOf(id)
      const there = kind === undefined ? undefined : read(kind)
      if (kind !== undefined && there !== undefined) write(kind, there - 1)
    },
    /** Whether expired sessions have not been removed for a day; true once a day. */
    isSweepDue: (now: number): boolean => {
      sweptAt ??= read(sweptName) ?? 0
      if (sweptAt + sweepEvery > now) return false
      sweptAt = now
      write(sweptName, now)
      return true
    }
  }
}

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  session_note: {
    filledBy: "the server",
    bound: "a few numbers",
    bytes: 16 * 1024,
    per: "account"
  }
})
