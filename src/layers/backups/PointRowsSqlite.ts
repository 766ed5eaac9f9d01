import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AccountRows } from "../../services/backups/AccountRows.ts"
import {
  type HeldKey,
  PointRows,
  type Present
} from "../../services/backups/pointInTime/PointRows.ts"
import { SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import { readHead, readLastEvent, writeLastEvent } from "../repo/RepoHeadSqlite.ts"
import { blobTakedowns, insert, kept, leftOut } from "./AccountRowsSqlite.ts"

type Sql = SqlStorage["Service"]

/** How far events rise above the last known one: the object may have written more before it went. */
const margin = 1_000_000

/** What comes from the earlier state although it is among a backup's rows. */
const earlier = "preferences"

/** What stays of the rows that a backup omits: about the earlier blobs, and about the tables. */
const staying = ["blob_wait", "blob_usage", "schema_version"]

interface Blob extends Record<string, SqlValue> {
  readonly state: number
  readonly id: string
  readonly key: string | null
}

/** Points the earlier index of blobs to the objects that exist now. */
const placeBlobs = (sql: Sql, keys: ReadonlyArray<HeldKey>, now: number): void => {
  const blobs = new Map(keys.flatMap((one) => (one.cid === undefined ? [] : [[one.cid, one]])))
  const waiting = new Set(keys.flatMap(({ cid, key }) => (cid === undefined ? [key] : [])))
  sql.exec("DELETE FROM blob WHERE state IN (0, 4)")
  sql.exec("UPDATE blob SET takedown = NULL WHERE takedown IS NOT NULL")
  for (const { state, id, key } of sql.exec<Blob>("SELECT state, id, key FROM blob").toArray()) {
    const here = blobs.get(id)
    blobs.delete(id)
    if (here !== undefined) {
      if (here.key === key) continue
      sql.exec(
        "UPDATE blob SET state = ?, key = ?, mime = coalesce(mime, ?), size = ?, path = NULL WHERE state = ? AND id = ?",
        state === 1 ? 1 : 3,
        here.key,
        here.mimeType ?? null,
        here.size ?? null,
        state,
        id
      )
    } else if (key !== null && !waiting.delete(key)) {
      // Its object was deleted since.
      if (state === 1) sql.exec("DELETE FROM blob WHERE state = 1 AND id = ?", id)
      else {
        sql.exec(
          `UPDATE blob SET state = 2, key = NULL, mime = NULL, size = NULL,
            path = (SELECT path FROM blob_ref WHERE cid = ? LIMIT 1) WHERE state = 3 AND id = ?`,
          id,
          id
        )
      }
    }
  }
  // Later uploads: no record refers to them any more, so the sweep deletes them after its grace.
  for (const { cid, key, mimeType, size } of blobs.values()) {
    sql.exec(
      "INSERT INTO blob (state, id, key, mime, size, since) VALUES (1, ?, ?, ?, ?, ?)",
      cid ?? key,
      key,
      mimeType ?? null,
      size ?? null,
      now
    )
  }
  for (const key of waiting) {
    sql.exec("INSERT INTO blob (state, id, since) VALUES (4, ?, ?)", key, now)
  }
  sql.exec("INSERT OR REPLACE INTO blob_wait (one, since) VALUES (1, ?)", now)
  sql.exec(
    "INSERT OR REPLACE INTO blob_usage (one, bytes) SELECT 1, coalesce(sum(size), 0) FROM blob WHERE state IN (1, 3)"
  )
}

const putBack = (sql: Sql, { tables, floor }: Present): void => {
  for (const table of Object.keys(leftOut)) {
    if (!staying.includes(table)) sql.exec(`DELETE FROM ${table}`)
  }
  for (const table of Object.keys(kept)) {
    if (table === earlier) continue
    sql.exec(`DELETE FROM ${table}`)
    insert(sql, table, tables[table] ?? [])
  }
  for (const { cid, takedown } of tables[blobTakedowns] ?? []) {
    sql.exec("UPDATE blob SET takedown = ? WHERE id = ?", takedown ?? null, cid ?? null)
  }
  writeLastEvent(sql, Math.max(readLastEvent(sql), floor.event + margin))
}

/** An object's rows on both sides of a return, in its SQLite. */
export const layer = Layer.effect(
  PointRows,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const rows = yield* AccountRows
    return PointRows.of({
      tables: () => {
        const { [earlier]: _, ...tables } = rows.rows()
        return tables
      },
      floor: () => ({ rev: readHead(sql)?.head.rev ?? "", event: readLastEvent(sql) }),
      keys: ({ cursor = "0:", limit }) => {
        const colon = cursor.indexOf(":")
        const found = sql
          .exec<{ state: number; id: string; key: string | null; mime: string; size: number }>(
            `SELECT state, id, key, mime, size FROM blob
              WHERE (state, id) > (?, ?) AND state <> 2 ORDER BY state, id LIMIT ?`,
            Number(cursor.slice(0, colon)),
            cursor.slice(colon + 1),
            limit
          )
          .toArray()
        const last = found.length === limit ? found.at(-1) : undefined
        return {
          items: found.map(({ id, key, mime, size }): HeldKey =>
            key === null ? { key: id } : { key, cid: id, mimeType: mime, size }
          ),
          cursor: last === undefined ? undefined : `${last.state}:${last.id}`
        }
      },
      putBack: (present, now) =>
        sql.transaction(() => {
          placeBlobs(sql, present.keys, now)
          putBack(sql, present)
        })
    })
  })
)
