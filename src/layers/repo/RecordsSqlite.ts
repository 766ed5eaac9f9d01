import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { blockPrefix, lengthSteps } from "../../core/repo/car.ts"
import { Cid } from "../../core/repo/cid.ts"
import { backlinkOf } from "../../services/repo/write/backlink.ts"
import type { Overlay } from "../../services/repo/Overlay.ts"
import {
  pageBytes,
  Records,
  type RecordSize,
  type StoredRecord
} from "../../services/repo/Records.ts"
import { bytesOf, SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** Records by path; likes, reposts, follows and blocks also by the subject they name. */
export const tables = [
  `CREATE TABLE IF NOT EXISTS record (
    path TEXT PRIMARY KEY, cid BLOB NOT NULL, rev TEXT NOT NULL, value BLOB NOT NULL
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS backlink (
    collection TEXT NOT NULL, subject TEXT NOT NULL, path TEXT NOT NULL,
    PRIMARY KEY (collection, subject, path)
  ) WITHOUT ROWID`
]

const columns = "SELECT path, cid, rev, value FROM record"

/** The table of takedowns is TakedownsSqlite's; one statement costs half as much as two. */
const shown = `SELECT cid, value FROM record WHERE path = ? AND NOT EXISTS (SELECT 1 FROM takedown WHERE takedown.path = record.path)`

const sizes =
  "SELECT path, cid, rev, length(value) FROM record WHERE path >= ? ORDER BY path LIMIT ?"

const share = `SELECT sum(n + ${blockPrefix} + ${lengthSteps.map((step) => `(n >= ${step})`).join(" + ")}), count(*), max(path)
  FROM (SELECT path, length(value) AS n FROM record WHERE path > ? ORDER BY path LIMIT ?)`

const counted = `SELECT count(*), coalesce(sum(n), 0)
  FROM (SELECT length(value) AS n FROM record WHERE path > ? AND path < ? LIMIT ?)`

const sizeOf = ([path, cid, rev, length]: ReadonlyArray<SqlValue>): RecordSize => ({
  path: path as string,
  cid: new Cid(bytesOf(cid!)),
  rev: rev as string,
  length: length as number
})

/** Keeps the account's records in the object's SQLite. */
export const layer = Layer.effect(
  Records,
  Effect.gen(function* () {
    const sql = yield* SqlStorage

    const rows = (
      query: string,
      bindings: ReadonlyArray<SqlValue>,
      limit = pageBytes
    ): Array<StoredRecord> => {
      const found: Array<StoredRecord> = []
      let bytes = 0
      for (const [path, cid, rev, block] of sql.exec(query, ...bindings).raw()) {
        const value = bytesOf(block)
        found.push({ path: path as string, cid: new Cid(bytesOf(cid)), rev: rev as string, value })
        bytes += value.byteLength
        if (bytes >= limit) break
      }
      return found
    }

    const get = (path: string) => rows(`${columns} WHERE path = ?`, [path])[0]

    const unlink = (old: StoredRecord): void => {
      const link = backlinkOf(old.path, old.value)
      if (link === undefined) return
      sql.exec(
        "DELETE FROM backlink WHERE collection = ? AND subject = ? AND path = ?",
        link.collection,
        link.subject,
        old.path
      )
    }

    /** Saves a row in the overlay and removes its backlink before the row goes. */
    const forget = (path: string, overlay: Overlay): void => {
      const old = overlay.active || backlinkOf(path) ? get(path) : undefined
      if (old === undefined) return
      if (overlay.keeps(old.rev)) overlay.save(old.cid.key, old.value)
      unlink(old)
    }

    return Records.of({
      get,
      getShown: (path) => {
        const [row] = sql.exec<{ cid: ArrayBuffer; value: ArrayBuffer }>(shown, path).toArray()
        return row && { cid: new Cid(bytesOf(row.cid)), value: bytesOf(row.value) }
      },
      put: (path, cid, value, rev, overlay) => {
        forget(path, overlay)
        sql.exec(
          "INSERT INTO record (path, cid, rev, value) VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET cid = excluded.cid, rev = excluded.rev, value = excluded.value",
          path,
          cid.bytes,
          rev,
          value
        )
        const link = backlinkOf(path, value)
        if (link === undefined) return
        sql.exec(
          "INSERT OR REPLACE INTO backlink (collection, subject, path) VALUES (?, ?, ?)",
          link.collection,
          link.subject,
          path
        )
      },
      remove: (path, overlay) => {
        forget(path, overlay)
        sql.exec("DELETE FROM record WHERE path = ?", path)
      },
      page: ({ collection, limit, after, ascending, from = "", before }) => {
        // "0" follows "/", so the range covers exactly this collection's paths.
        const end = before === undefined ? `${collection}0` : `${collection}/${before}`
        const low = `${collection}/${ascending && after !== undefined ? after : from}`
        const high = !ascending && after !== undefined ? `${collection}/${after}` : end
        const order = ascending ? "ASC" : "DESC"
        const above = ascending && after !== undefined ? ">" : ">="
        const records = rows(
          `${columns} WHERE path ${above} ? AND path < ? ORDER BY path ${order} LIMIT ?`,
          [low, high, limit]
        )
        const bytes = records.reduce((sum, { value }) => sum + value.byteLength, 0)
        return { records, more: records.length === limit || bytes >= pageBytes }
      },
      from: (path, limit, bytes) =>
        rows(`${columns} WHERE path >= ? ORDER BY path LIMIT ?`, [path, limit], bytes),
      sizesFrom: (path, limit) => [...sql.exec(sizes, path, limit).raw()].map(sizeOf),
      carShare: (after, limit) => {
        const [[length, count, last] = []] = [...sql.exec(share, after, limit).raw()]
        return { length: Number(length ?? 0), last: count === limit ? String(last) : undefined }
      },
      collections: (after, limit = Infinity) => {
        const found: Array<string> = []
        let from = after === undefined ? "" : `${after}0`
        while (found.length < limit) {
          const [next] = [
            ...sql.exec("SELECT path FROM record WHERE path > ? ORDER BY path LIMIT 1", from).raw()
          ]
          if (next === undefined) return found
          const collection = (next[0] as string).split("/", 1)[0]!
          found.push(collection)
          from = `${collection}0`
        }
        return found
      },
      tally: (collection, limit) => {
        const [[records, bytes] = []] = [
          ...sql.exec(counted, `${collection}/`, `${collection}0`, limit).raw()
        ]
        return { records: Number(records ?? 0), bytes: Number(bytes ?? 0) }
      },
      hasCollection: (collection) =>
        [
          ...sql
            .exec(
              "SELECT 1 FROM record WHERE path > ? AND path < ? LIMIT 1",
              `${collection}/`,
              `${collection}0`
            )
            .raw()
        ].length > 0,
      backlinks: (collection, subject) =>
        [
          ...sql
            .exec(
              "SELECT path FROM backlink WHERE collection = ? AND subject = ?",
              collection,
              subject
            )
            .raw()
        ].map(([path]) => path as string)
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  record: {
    filledBy: "its owner's writes",
    bound:
      "5,000 points an hour, 35,000 a day, one for each 8 KiB at least: 287 MB a day; 10 GB, what the platform stores for an object",
    bytes: 10_000_000_000,
    per: "account"
  },
  backlink: {
    filledBy: "its owner's writes",
    bound: "one row a like, repost, follow or block",
    bytes: 10_000_000_000,
    per: "account"
  }
})
