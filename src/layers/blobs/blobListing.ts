import type { BlobIndex, OwnBlob, Page } from "../../services/blobs/BlobIndex.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { BlobRow } from "./blobRows.ts"

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

/** A row as its owner sees it; undefined if nothing is stored. */
export const ownBlob = (row: BlobRow | undefined): OwnBlob | undefined => {
  if (row === undefined) return undefined
  const { id, key, mime, size, refs, takedown } = row
  return key === null || mime === null || size === null
    ? undefined
    : { cid: id, key, mimeType: mime, size, refs, isTakenDown: takedown !== null }
}

/** Every stored blob, by state and CID; a page reads its own rows only. */
export const own = (
  sql: Sql,
  { cursor = "1:", limit }: Parameters<Index["own"]>[0]
): Page<OwnBlob> => {
  const colon = cursor.indexOf(":")
  const from = Number(cursor.slice(0, colon))
  // One query a state: for both, SQLite would read a state's rows from its start.
  const rows = [1, 3].reduce<ReadonlyArray<BlobRow>>(
    (before, state) =>
      state < from || before.length === limit
        ? before
        : [
            ...before,
            ...sql.exec<BlobRow>(
              `SELECT state, id, key, mime, size, rev, refs, path, takedown FROM blob
                WHERE state = ? AND id > ? ORDER BY id LIMIT ?`,
              state,
              state === from ? cursor.slice(colon + 1) : "",
              limit - before.length
            )
          ],
    []
  )
  const last = rows.length === limit ? rows.at(-1) : undefined
  return {
    items: rows.map(ownBlob).filter((blob) => blob !== undefined),
    cursor: last === undefined ? undefined : `${last.state}:${last.id}`
  }
}

/** The records that refer to a blob, by path; references have no index by CID. */
export const usersOf = (
  sql: Sql,
  cid: string,
  { cursor = " ", rows }: Parameters<Index["usersOf"]>[1]
): Page<string> => {
  const items: Array<string> = []
  const space = cursor.lastIndexOf(" ")
  let read = 0
  let last = cursor
  for (const row of sql.exec<{ path: string; cid: string }>(
    "SELECT path, cid FROM blob_ref WHERE (path, cid) > (?, ?) ORDER BY path, cid LIMIT ?",
    cursor.slice(0, space),
    cursor.slice(space + 1),
    rows
  )) {
    read++
    last = `${row.path} ${row.cid}`
    if (row.cid === cid) items.push(row.path)
  }
  return { items, cursor: read === rows ? last : undefined }
}
