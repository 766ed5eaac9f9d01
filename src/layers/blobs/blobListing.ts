import type { BlobIndex, Page } from "../../services/blobs/BlobIndex.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"

type Sql = SqlStorage["Service"]
type Index = BlobIndex["Service"]

/** Rows that one page of `list` may read: `since` may skip nearly all of them. */
export const rowsAPage = 5000

interface Listed extends Record<string, string | null> {
  readonly id: string
  readonly rev: string | null
  readonly takedown: string | null
}

/** The blobs that may be served, by CID. */
export const list = (
  sql: Sql,
  { since = "", cursor = "", limit }: Parameters<Index["list"]>[0]
): Page<string> => {
  const rows = sql.exec<Listed>(
    "SELECT id, rev, takedown FROM blob WHERE state = 3 AND id > ? ORDER BY id LIMIT ?",
    cursor,
    rowsAPage
  )
  const items: Array<string> = []
  let read = 0
  let last = cursor
  for (const { id, rev, takedown } of rows) {
    read += 1
    last = id
    if (takedown === null && (rev ?? "") > since) items.push(id)
    if (items.length === limit) break
  }
  return { items, cursor: items.length === limit || read === rowsAPage ? last : undefined }
}

/** The blobs that records refer to but that aren't stored, by CID. */
export const missing = (
  sql: Sql,
  { cursor = "", limit }: Parameters<Index["missing"]>[0]
): Page<{ readonly cid: string; readonly path: string }> => {
  const items = sql
    .exec<{ cid: string; path: string }>(
      "SELECT id AS cid, path FROM blob WHERE state = 2 AND id > ? ORDER BY id LIMIT ?",
      cursor,
      limit
    )
    .toArray()
  return { items, cursor: items.length === limit ? items.at(-1)?.cid : undefined }
}

/** Every key in the store, in row order. */
export const keys = (
  sql: Sql,
  { cursor = "0:", limit }: Parameters<Index["keys"]>[0]
): Page<string> => {
  const colon = cursor.indexOf(":")
  const rows = sql
    .exec<{ state: number; id: string; key: string }>(
      `SELECT state, id, coalesce(key, id) AS key FROM blob
        WHERE (state, id) > (?, ?) AND state <> 2 ORDER BY state, id LIMIT ?`,
      Number(cursor.slice(0, colon)),
      cursor.slice(colon + 1),
      limit
    )
    .toArray()
  const last = rows.length === limit ? rows.at(-1) : undefined
  return {
    items: rows.map((row) => row.key),
    cursor: last === undefined ? undefined : `${last.state}:${last.id}`
  }
}

/** How many blobs records refer to, and how many of them are stored. */
export const counts = (sql: Sql): ReturnType<Index["counts"]> => {
  const [row] = sql
    .exec<{ expected: number; imported: number }>(
      "SELECT count(*) AS expected, coalesce(sum(state = 3), 0) AS imported FROM blob WHERE state IN (2, 3)"
    )
    .toArray()
  return { expected: row?.expected ?? 0, imported: row?.imported ?? 0 }
}
