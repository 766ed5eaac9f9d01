import { Cid } from "../../core/repo/cid.ts"
import type { Head } from "../../services/repo/Repo.ts"
import type { Spent } from "../../services/repo/write/points.ts"
import { bytesOf, SqlStorage } from "../../services/host/SqlStorage.ts"
import { RepoHead } from "../../services/repo/RepoHead.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Bounds } from "../host/sql/bounds.ts"

/**
 * The repo's head, with everything else that changes with each commit: counts, spent write points,
 * the last event's id.
 */
export const tables = [
  `CREATE TABLE IF NOT EXISTS head (
    id INTEGER PRIMARY KEY CHECK (id = 1), cid BLOB NOT NULL, block BLOB NOT NULL, root BLOB NOT NULL, rev TEXT NOT NULL,
    records INTEGER NOT NULL, nodes INTEGER NOT NULL,
    hour_from INTEGER NOT NULL, hour INTEGER NOT NULL, day_from INTEGER NOT NULL, day INTEGER NOT NULL,
    event INTEGER NOT NULL
  )`
]

/** Reads the head row; undefined before the repo exists. */
export const readHead = (
  sql: SqlStorage["Service"]
): { readonly head: Head; readonly spent: Spent } | undefined => {
  const query =
    "SELECT cid, block, root, rev, records, nodes, hour_from, hour, day_from, day FROM head WHERE id = 1"
  for (const [cid, block, root, rev, records, nodes, ...spent] of sql.exec(query).raw()) {
    const [hourFrom, hour, dayFrom, day] = spent.map(Number) as [number, number, number, number]
    return {
      head: {
        commit: new Cid(bytesOf(cid)),
        block: bytesOf(block),
        rev: String(rev),
        root: new Cid(bytesOf(root)),
        records: Number(records),
        nodes: Number(nodes)
      },
      spent: { hourFrom, hour, dayFrom, day }
    }
  }
  return undefined
}

/** Writes the head row, which bills one row. `event` is the id of the last event in the outbox. */
export const writeHead = (
  sql: SqlStorage["Service"],
  head: Head,
  spent: Spent,
  event: number
): void => {
  sql.exec(
    "INSERT INTO head VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET cid = excluded.cid, block = excluded.block, root = excluded.root, rev = excluded.rev, records = excluded.records, nodes = excluded.nodes, hour_from = excluded.hour_from, hour = excluded.hour, day_from = excluded.day_from, day = excluded.day, event = excluded.event",
    head.commit.bytes,
    head.block,
    head.root.bytes,
    head.rev,
    head.records,
    head.nodes,
    spent.hourFrom,
    spent.hour,
    spent.dayFrom,
    spent.day,
    event
  )
}

/** The id of the last event that entered the outbox, delivered or not; 0 before the first. */
export const readLastEvent = (sql: SqlStorage["Service"]): number => {
  for (const [event] of sql.exec("SELECT event FROM head WHERE id = 1").raw()) return Number(event)
  return 0
}

/** Saves the id of an event that came without a commit; bills one row. */
export const writeLastEvent = (sql: SqlStorage["Service"], event: number): void => {
  sql.exec("UPDATE head SET event = ? WHERE id = 1", event)
}

/** Keeps the head in the object's SQLite. */
export const layer: Layer.Layer<RepoHead, never, SqlStorage> = Layer.effect(
  RepoHead,
  Effect.map(SqlStorage, (sql) =>
    RepoHead.of({
      read: () => readHead(sql),
      lastEvent: () => readLastEvent(sql),
      write: (head, spent, event) => writeHead(sql, head, spent, event),
      transaction: (change, sync) => sql.transaction(change, sync)
    })
  )
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  head: {
    filledBy: "its owner's writes",
    bound: "one row",
    bytes: 4 * 1024,
    per: "account"
  }
})
