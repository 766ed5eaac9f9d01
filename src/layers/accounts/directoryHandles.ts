import type { Fragment } from "effect/sql/Statement"
import type { Database } from "../host/sql/sqlTables.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** Handles that accounts gave up and may take back; `until` is in milliseconds. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS kept_handle (
    handle TEXT PRIMARY KEY, did TEXT NOT NULL, until INTEGER NOT NULL
  ) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS kept_handle_did ON kept_handle (did)`
]

/** How long a given-up handle stays reserved for its account, in milliseconds. */
const keptFor = 30 * 24 * 60 * 60 * 1000

/**
 * The most handles reserved for one account. The first ones stay, so an intruder can't displace the
 * owner's.
 */
const maxKept = 10

/** A change of handle; the handle is in its stored form. */
interface Change {
  readonly did: string
  readonly handle: string
  readonly keep: boolean
  readonly override: boolean
  readonly now: number
}

/** The SQL for handles: which are free, and which are reserved. */
export const make = ({ sql }: Database) => {
  /** Ends the reservation of a handle that an account takes. */
  const take = (handle: string, did: string) =>
    sql`DELETE FROM kept_handle WHERE handle = ${handle}
      AND EXISTS (SELECT 1 FROM accounts WHERE did = ${did} AND handle = ${handle})`

  /** Condition: the handle is reserved for another account. */
  const isKept = (handle: string, did: string, now: number): Fragment =>
    sql`EXISTS (SELECT 1 FROM kept_handle WHERE handle = ${handle} AND did <> ${did} AND until > ${now})`

  /** Condition: the account may take the handle; the administrator overrides reservations. */
  const mayTake = (
    { handle, did, override }: Pick<Change, "handle" | "did" | "override">,
    now: number
  ): Fragment => (override ? sql`1` : sql`NOT ${isKept(handle, did, now)}`)

  return {
    isKept,
    mayTake,
    take,
    holder: (handle: string, now: number) =>
      sql<{
        readonly did: string
      }>`SELECT did FROM accounts WHERE handle = ${handle} AND status <> 'reserved'
        UNION ALL SELECT did FROM kept_handle WHERE handle = ${handle} AND until > ${now}`,
    /** Frees the reserved handles of a deleted account. */
    free: (did: string) => sql`DELETE FROM kept_handle WHERE did = ${did}`,
    /**
     * The statements of a change, in one transaction; the third returns a row if the handle was
     * free.
     */
    change: (change: Change) => {
      const { did, handle, keep, now } = change
      const may = mayTake(change, now)
      return [
        sql`DELETE FROM kept_handle WHERE did = ${did} AND until <= ${now}`,
        sql`INSERT INTO kept_handle (handle, did, until)
          SELECT handle, did, ${now + keptFor} FROM accounts
          WHERE did = ${did} AND handle <> ${handle} AND ${keep ? 1 : 0} AND ${may}
            AND (SELECT count(*) FROM kept_handle WHERE did = ${did}) < ${maxKept}
          ON CONFLICT (handle) DO UPDATE SET did = excluded.did, until = excluded.until`,
        sql`UPDATE accounts SET handle = ${handle} WHERE did = ${did} AND ${may} RETURNING did`,
        take(handle, did)
      ]
    }
  }
}

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  kept_handle: {
    filledBy: "its owner",
    bound: "10 handles an account, 30 days each",
    bytes: 10 * 5 * 1024,
    per: "account"
  }
})
