import type { SqlStorage, SqlValue } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/**
 * The states of a row in `blob`.
 *
 * The state is the first half of the key: rows to sweep are adjacent, and a change of state updates
 * the key, which bills one row. A CID has at most one row among temporary, expected and permanent.
 */
export const state = {
  /** A key issued for an upload that isn't recorded yet; its id is the key. */
  uploading: 0,
  temporary: 1,
  /** Referred to, but not stored. */
  expected: 2,
  permanent: 3,
  /** A key that the store has yet to delete; its id is the key. */
  condemned: 4
} as const

/**
 * The blob index: one row a blob, one row a reference.
 *
 * `refs` counts the rows of `blob_ref` with this CID, which saves an index, whose entries are
 * billed rows. `since` is when the row entered its state (ms); `rev` when the blob became
 * permanent; `path` names one record that refers to an expected blob.
 *
 * `blob_wait` has one row while anything may wait for the sweep: the start of its grace period. So
 * neither an upload nor the alarm has to read the waiting rows to find the time of the next sweep.
 *
 * `blob_usage` has one row: the total bytes of temporary and permanent blobs, so an upload need not
 * add them up.
 *
 * `blob_quota` has one row if an operator has given the account a quota of its own (0: no limit).
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS blob (
    state INTEGER NOT NULL, id TEXT NOT NULL, key TEXT, mime TEXT, size INTEGER, since INTEGER, rev TEXT,
    refs INTEGER NOT NULL DEFAULT 0, path TEXT, takedown TEXT,
    PRIMARY KEY (state, id)
  ) WITHOUT ROWID`,
  // Partial: only a blob with a moderator's mark has an entry.
  "CREATE INDEX IF NOT EXISTS blob_takedown ON blob (id) WHERE takedown IS NOT NULL",
  `CREATE TABLE IF NOT EXISTS blob_ref (
    path TEXT NOT NULL, cid TEXT NOT NULL,
    PRIMARY KEY (path, cid)
  ) WITHOUT ROWID`,
  "CREATE TABLE IF NOT EXISTS blob_wait (one INTEGER PRIMARY KEY, since INTEGER NOT NULL)",
  "CREATE TABLE IF NOT EXISTS blob_usage (one INTEGER PRIMARY KEY, bytes INTEGER NOT NULL)",
  "CREATE TABLE IF NOT EXISTS blob_quota (one INTEGER PRIMARY KEY, bytes INTEGER NOT NULL)"
]

/** The row of a CID. */
export interface BlobRow extends Record<string, SqlValue> {
  readonly state: number
  readonly id: string
  /** These three are null only for an expected blob. */
  readonly key: string | null
  readonly mime: string | null
  readonly size: number | null
  readonly rev: string | null
  readonly refs: number
  readonly path: string | null
  readonly takedown: string | null
}

type Sql = SqlStorage["Service"]

/** The row of a CID in any state. */
export const findBlob = (sql: Sql, cid: string): BlobRow | undefined =>
  sql
    .exec<BlobRow>(
      "SELECT state, id, key, mime, size, rev, refs, path, takedown FROM blob WHERE state IN (1, 2, 3) AND id = ?",
      cid
    )
    .toArray()[0]

/** Whether a key is in one of the two states that are stored by key. */
export const hasKey = (sql: Sql, inState: 0 | 4, key: string): boolean =>
  sql.exec("SELECT 1 FROM blob WHERE state = ? AND id = ?", inState, key).toArray().length > 0

/** The blobs that a record refers to. */
export const refsOf = (sql: Sql, path: string): Array<string> =>
  sql
    .exec<{ cid: string }>("SELECT cid FROM blob_ref WHERE path = ?", path)
    .toArray()
    .map((row) => row.cid)

/** Notes that something waits for the sweep since this time, unless something has waited longer. */
export const noteWait = (sql: Sql, since: number): void => {
  if (waitingSince(sql) !== undefined) return
  sql.exec("INSERT INTO blob_wait (one, since) VALUES (1, ?)", since)
}

/** Start of the grace period of whatever waits for the sweep. */
export const waitingSince = (sql: Sql): number | undefined =>
  sql.exec<{ since: number }>("SELECT since FROM blob_wait").toArray()[0]?.since

/**
 * Total bytes of the stored blobs; accounts of an earlier version lack the row until their next
 * upload.
 */
export const usage = (sql: Sql): number => {
  const rows = sql.exec<{ bytes: number }>("SELECT bytes FROM blob_usage").toArray()
  return rows[0]?.bytes ?? sumOfSizes(sql)
}

/** Reads every blob. */
const sumOfSizes = (sql: Sql): number => {
  const sum = "SELECT coalesce(sum(size), 0) AS bytes FROM blob WHERE state IN (1, 3)"
  return sql.exec<{ bytes: number }>(sum).toArray()[0]?.bytes ?? 0
}

/**
 * Adds bytes to the total; call inside the transaction that moves them, before their row changes.
 */
export const addUsage = (sql: Sql, bytes: number): void => {
  sql.exec("INSERT OR REPLACE INTO blob_usage (one, bytes) VALUES (1, ?)", usage(sql) + bytes)
}

/** The account's own quota in bytes. */
export const quota = (sql: Sql): number | undefined =>
  sql.exec<{ bytes: number }>("SELECT bytes FROM blob_quota").toArray()[0]?.bytes

/** Sets or removes the account's own quota. */
export const setQuota = (sql: Sql, bytes: number | undefined): void => {
  if (bytes === undefined) sql.exec("DELETE FROM blob_quota")
  else sql.exec("INSERT OR REPLACE INTO blob_quota (one, bytes) VALUES (1, ?)", bytes)
}

/** Adds a reference: a temporary blob becomes permanent, an unknown one expected. */
export const addRef = (sql: Sql, path: string, cid: string, rev: string): void => {
  sql.exec("INSERT INTO blob_ref (path, cid) VALUES (?, ?)", path, cid)
  const row = findBlob(sql, cid)
  if (row === undefined) {
    sql.exec("INSERT INTO blob (state, id, refs, path, rev) VALUES (2, ?, 1, ?, ?)", cid, path, rev)
  } else if (row.state === state.temporary) {
    sql.exec(
      "UPDATE blob SET state = 3, refs = 1, rev = ?, since = NULL WHERE state = 1 AND id = ?",
      rev,
      cid
    )
  } else {
    sql.exec("UPDATE blob SET refs = refs + 1 WHERE state = ? AND id = ?", row.state, cid)
  }
}

/**
 * Removes a reference: without any, a permanent blob becomes temporary and an expected one is
 * forgotten.
 */
export const dropRef = (sql: Sql, path: string, cid: string, now: number): void => {
  sql.exec("DELETE FROM blob_ref WHERE path = ? AND cid = ?", path, cid)
  const row = findBlob(sql, cid)
  if (row === undefined) return
  if (row.refs > 1) {
    const witness = row.path === path ? anotherPath(sql, cid) : row.path
    sql.exec(
      "UPDATE blob SET refs = refs - 1, path = ? WHERE state = ? AND id = ?",
      witness,
      row.state,
      cid
    )
  } else if (row.state === state.expected) {
    sql.exec("DELETE FROM blob WHERE state = 2 AND id = ?", cid)
  } else {
    sql.exec(
      "UPDATE blob SET state = 1, refs = 0, rev = NULL, since = ? WHERE state = 3 AND id = ?",
      now,
      cid
    )
    noteWait(sql, now)
  }
}

/** Reads all references, but only if a missing blob is shared and its first record goes. */
const anotherPath = (sql: Sql, cid: string): string | null =>
  sql.exec<{ path: string }>("SELECT path FROM blob_ref WHERE cid = ? LIMIT 1", cid).toArray()[0]
    ?.path ?? null

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  blob: {
    filledBy: "its owner's uploads",
    bound:
      "one row a blob: 1,000 uploads a day from one address, and `BLOB_QUOTA` or the account's own quota",
    bytes: 10_000_000_000,
    per: "account"
  },
  blob_usage: {
    filledBy: "the server",
    bound: "one row",
    bytes: 1024,
    per: "account"
  },
  blob_quota: {
    filledBy: "an admin",
    bound: "one row",
    bytes: 1024,
    per: "account"
  },
  blob_wait: {
    filledBy: "the server",
    bound: "one row",
    bytes: 1024,
    per: "account"
  },
  blob_ref: {
    filledBy: "its owner's writes",
    bound: "one row a reference in a record",
    bytes: 10_000_000_000,
    per: "account"
  }
})
