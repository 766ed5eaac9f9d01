import type { BlobIndex } from "../../services/blobs/BlobIndex.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import { addUsage, noteWait, state, waitingSince } from "./blobRows.ts"

type Sql = SqlStorage["Service"]
type Index = BlobIndex["Service"]

/** How long a commit may take between checking its blobs and its transaction, in milliseconds. */
const holdTime = 60_000

/**
 * Temporary blobs that a commit has checked and will refer to.
 *
 * A commit signs between the check and its transaction, and a sweep may run meanwhile. Memory
 * suffices: if the object loses it, the commit is lost as well.
 */
export class Holds {
  readonly #until = new Map<string, number>()

  hold(cid: string, now: number): void {
    this.#until.set(cid, now + holdTime)
  }

  /** The CIDs held at this time. */
  at(now: number): ReadonlySet<string> {
    for (const [cid, until] of this.#until) if (until <= now) this.#until.delete(cid)
    return new Set(this.#until.keys())
  }
}

interface Due extends Record<string, string | number | null> {
  readonly state: number
  readonly id: string
  readonly key: string | null
  readonly size: number | null
}

/** Condemns what is due and returns at most `limit` condemned keys. */
export const sweep = (
  sql: Sql,
  held: ReadonlySet<string>,
  [now, grace, limit]: Parameters<Index["sweep"]>
): ReadonlyArray<string> => {
  const keys = sql
    .exec<{ id: string }>("SELECT id FROM blob WHERE state = 4 LIMIT ?", limit)
    .toArray()
    .map((row) => row.id)
  const due = sql
    .exec<Due>(
      "SELECT state, id, key, size FROM blob WHERE state IN (0, 1) AND since <= ? AND takedown IS NULL LIMIT ?",
      now - grace,
      limit - keys.length + held.size
    )
    .toArray()
    .filter((row) => !held.has(row.id))
    .slice(0, limit - keys.length)
  const freed = due.reduce(
    (sum, row) => sum + (row.state === state.temporary ? (row.size ?? 0) : 0),
    0
  )
  sql.transaction(() => {
    if (freed > 0) addUsage(sql, -freed)
    for (const row of due) condemn(sql, row, now)
  })
  return [...keys, ...due.map((row) => row.key ?? row.id)]
}

/** Condemns these temporary blobs whatever their age. */
export const discard = (
  sql: Sql,
  held: ReadonlySet<string>,
  cids: ReadonlyArray<string>,
  now: number
): ReadonlyArray<string> => {
  const due = [...new Set(cids)]
    .filter((cid) => !held.has(cid))
    .flatMap((cid) =>
      sql
        .exec<Due>(
          "SELECT state, id, key, size FROM blob WHERE state = 1 AND id = ? AND takedown IS NULL",
          cid
        )
        .toArray()
    )
  if (due.length === 0) return []
  sql.transaction(() => {
    addUsage(sql, -due.reduce((sum, { size }) => sum + (size ?? 0), 0))
    for (const row of due) condemn(sql, row, now)
    noteWait(sql, now)
  })
  return due.map((row) => row.key ?? row.id)
}

/** Changes the row's key before the object is deleted, so no later lookup of the CID finds it. */
const condemn = (sql: Sql, row: Due, now: number): void => {
  sql.exec(
    "UPDATE blob SET state = 4, id = ?, since = ? WHERE state = ? AND id = ?",
    row.key ?? row.id,
    now,
    row.state,
    row.id
  )
}

/** Minimum time between two complete sweeps, in milliseconds: each reads everything that waits. */
const sweepInterval = 24 * 3_600_000

/** When the oldest waiting row entered its state; reads all of them. */
const oldest = (sql: Sql): number | undefined =>
  sql
    .exec<{ since: number | null }>(
      "SELECT min(since) AS since FROM blob WHERE state IN (0, 1, 4) AND takedown IS NULL"
    )
    .toArray()[0]?.since ?? undefined

/** Ends a complete sweep: what still waits is checked again a day later, or when it is due. */
export const restSweep = (sql: Sql, now: number, grace: number): void => {
  const since = oldest(sql)
  if (since === undefined) sql.exec("DELETE FROM blob_wait")
  else {
    const next = Math.max(since, now + sweepInterval - grace)
    sql.exec("INSERT OR REPLACE INTO blob_wait (one, since) VALUES (1, ?)", next)
  }
}

/** When the next sweep is due; reads one row. */
export const nextSweep = (sql: Sql, grace: number): number | undefined => {
  const since = waitingSince(sql) ?? bringForward(sql)
  return since === undefined ? undefined : since + grace
}

/** Accounts of an earlier version lack the row; if nothing waits, there is nothing to read. */
const bringForward = (sql: Sql): number | undefined => {
  const since = oldest(sql)
  if (since !== undefined) noteWait(sql, since)
  return since
}
