import type { HostedRepo, InactiveStatus, OutboxEvent } from "../../services/stream/Sequencer.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"

type Sql = SqlStorage["Service"]

/** The log's row of an account. */
export interface RepoRow {
  /** The order in which repos appeared here. */
  readonly ordinal: number
  /** The last outbox id that was taken. */
  readonly lastId: number
  readonly head: string | null
  readonly rev: string | null
  readonly active: boolean
  readonly status: string | null
}

/** The row of a DID, or a new one. */
export const readRepo = (sql: Sql, did: string): RepoRow => {
  const query = "SELECT ordinal, last_id, head, rev, active, status FROM repo WHERE did = ?"
  for (const [ordinal, lastId, head, rev, active, status] of sql.exec(query, did).raw()) {
    return {
      ordinal: Number(ordinal),
      lastId: Number(lastId),
      head: head === null ? null : String(head),
      rev: rev === null ? null : String(rev),
      active: active === 1,
      status: status === null ? null : String(status)
    }
  }
  const [[highest] = [0]] = sql.exec("SELECT MAX(ordinal) FROM repo").raw()
  const ordinal = Number(highest ?? 0) + 1
  return { ordinal, lastId: 0, head: null, rev: null, active: true, status: null }
}

/** Stores the row of a DID: one row written. */
export const writeRepo = (sql: Sql, did: string, row: RepoRow): void => {
  sql.exec(
    `INSERT INTO repo (did, ordinal, last_id, head, rev, active, status) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (did) DO UPDATE SET last_id = excluded.last_id, head = excluded.head,
       rev = excluded.rev, active = excluded.active, status = excluded.status`,
    did,
    row.ordinal,
    row.lastId,
    row.head,
    row.rev,
    row.active ? 1 : 0,
    row.status
  )
}

/** The row after an event. */
export const afterEvent = (row: RepoRow, event: OutboxEvent): RepoRow => {
  const { account } = event
  const gone = account?.status === "deleted"
  return {
    ordinal: row.ordinal,
    lastId: event.id,
    head: gone ? null : (event.head?.commit ?? row.head),
    rev: gone ? null : (event.head?.rev ?? row.rev),
    active: account === undefined ? row.active : account.active,
    status: account === undefined ? row.status : (account.status ?? null)
  }
}

/** How many collections of a repo are listed: its owner chooses their names. */
export const budget = { collections: 1000 }

const addCollections = (sql: Sql, did: string, added: ReadonlyArray<string>): void => {
  if (added.length === 0) return
  const count = sql.exec<{ n: number }>("SELECT count(*) AS n FROM collection WHERE did = ?", did)
  let room = budget.collections - (count.toArray()[0]?.n ?? 0)
  for (const collection of added) {
    if (room <= 0) return
    const insert = "INSERT OR IGNORE INTO collection (collection, did) VALUES (?, ?)"
    if (sql.exec(insert, collection, did).rowsWritten > 0) room -= 1
  }
}

/** Updates the collections that a repo gained or lost. */
export const writeCollections = (sql: Sql, did: string, event: OutboxEvent): void => {
  if (event.collections?.whole === true) {
    sql.exec(
      "DELETE FROM collection WHERE did = ? AND collection NOT IN (SELECT value FROM json_each(?))",
      did,
      JSON.stringify(event.collections.added)
    )
  }
  for (const collection of event.collections?.removed ?? []) {
    sql.exec("DELETE FROM collection WHERE collection = ? AND did = ?", collection, did)
  }
  addCollections(sql, did, event.collections?.added ?? [])
  if (event.account?.status === "deleted") sql.exec("DELETE FROM collection WHERE did = ?", did)
}

/**
 * Forgets deleted accounts whose last event is older than an outbox id, so none of their events can
 * arrive again.
 */
export const forgetDeleted = (sql: Sql, before: number): void => {
  sql.exec("DELETE FROM repo WHERE status = 'deleted' AND last_id < ?", before)
}

/** The position in a cursor of this host; undefined if it isn't one. */
const ordinalOf = (cursor: string | undefined): number | undefined => {
  const ordinal = Number(cursor ?? "0")
  return Number.isSafeInteger(ordinal) && ordinal >= 0 ? ordinal : undefined
}

/**
 * A page of repos, in the order in which they appeared.
 *
 * New ones join at the end, so paging misses and repeats none, however the host grows.
 */
export const listRepos = (
  sql: Sql,
  page: { readonly cursor?: string; readonly limit: number }
): { readonly repos: ReadonlyArray<HostedRepo>; readonly cursor?: string } => {
  const after = ordinalOf(page.cursor)
  if (after === undefined) return { repos: [] }
  const repos: Array<HostedRepo> = []
  let last = after
  const rows = sql.exec(
    `SELECT ordinal, did, head, rev, active, status FROM repo
     WHERE ordinal > ? AND head IS NOT NULL ORDER BY ordinal LIMIT ?`,
    after,
    page.limit
  )
  for (const [ordinal, did, head, rev, active, status] of rows.raw()) {
    last = Number(ordinal)
    const repo = { did: String(did), head: String(head), rev: String(rev), active: active === 1 }
    // SAFETY: only an event's `account.status` is stored here.
    repos.push(status === null ? repo : { ...repo, status: status as InactiveStatus })
  }
  return repos.length < page.limit ? { repos } : { repos, cursor: String(last) }
}

/** A page of the active repos that hold a collection, by DID. */
export const listReposByCollection = (
  sql: Sql,
  page: { readonly collection: string; readonly cursor?: string; readonly limit: number }
): { readonly dids: ReadonlyArray<string>; readonly cursor?: string } => {
  const rows = sql.exec(
    `SELECT collection.did FROM collection JOIN repo ON repo.did = collection.did
     WHERE collection = ? AND collection.did > ? AND repo.active = 1 AND repo.head IS NOT NULL
     ORDER BY collection.did LIMIT ?`,
    page.collection,
    page.cursor ?? "",
    page.limit
  )
  const dids = [...rows.raw()].map(([did]) => String(did))
  const last = dids.at(-1)
  return dids.length < page.limit || last === undefined ? { dids } : { dids, cursor: last }
}
