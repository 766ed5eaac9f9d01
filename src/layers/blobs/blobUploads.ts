import { tidFromMicros } from "../../core/repo/tid.ts"
import type { BlobLocation } from "../../services/blobs/BlobIndex.ts"
import {
  type BlobIndex,
  BlobQuotaExceeded,
  BlobTakendown,
  UploadExpired
} from "../../services/blobs/BlobIndex.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import { addUsage, type BlobRow, findBlob, hasKey, noteWait, state, usage } from "./blobRows.ts"

type Sql = SqlStorage["Service"]
type Index = BlobIndex["Service"]
type Upload = Parameters<Index["record"]>[0]

/** Records a complete upload in its own transaction. */
export const recordUpload = (sql: Sql, upload: Upload): ReturnType<Index["record"]> => {
  const { cid, key, size } = upload
  const before = findBlob(sql, cid)
  const known = before?.state === state.uploading ? undefined : before
  const stored = known === undefined ? undefined : locationOf(known)
  // A repeated call whose first response was lost.
  if (stored?.key === key) return { blob: stored, condemned: false }
  if (before?.key === key && before.takedown === null) {
    sql.transaction(() => confirm(sql, upload))
    return { blob: { cid, key, mimeType: before.mime ?? upload.mimeType, size }, condemned: false }
  }
  if (stored !== undefined && hasKey(sql, state.condemned, key))
    return { blob: stored, condemned: true }
  const isNoted = hasKey(sql, state.uploading, key)
  const failure =
    isTakenDown(upload, before) ??
    (isNoted ? undefined : new UploadExpired({ key })) ??
    (stored === undefined ? exceeds(sql, upload, before) : undefined)
  if (failure !== undefined) {
    condemnUpload(sql, upload)
    return failure
  }
  if (stored !== undefined)
    return { blob: keepOlder(sql, upload, stored, known?.state), condemned: true }
  sql.transaction(() => {
    addUsage(sql, size)
    if (known === undefined) insert(sql, upload)
    else fulfil(sql, upload, known)
  })
  return { blob: { cid, key, mimeType: upload.mimeType, size }, condemned: false }
}

/** Where a row's blob is stored; undefined for an expected blob. */
export const locationOf = ({ id, key, mime, size }: BlobRow): BlobLocation | undefined =>
  key === null || mime === null || size === null
    ? undefined
    : { cid: id, key, mimeType: mime, size }

const isTakenDown = ({ cid }: Upload, row: BlobRow | undefined): BlobTakendown | undefined =>
  row !== undefined && row.takedown !== null ? new BlobTakendown({ cid }) : undefined

/** An unconfirmed upload of the same content, which may have failed, counts only once. */
const exceeds = (
  sql: Sql,
  { size, quota }: Upload,
  row: BlobRow | undefined
): BlobQuotaExceeded | undefined => {
  if (quota === undefined) return undefined
  const used = usage(sql) - (row?.state === state.uploading ? (row.size ?? 0) : 0)
  return used + size > quota ? new BlobQuotaExceeded({ used, quota }) : undefined
}

/** Notes an upload with all that will be true once it's stored; see BlobIndex. */
export const noteWhole = (sql: Sql, upload: Upload): ReturnType<Index["noteWhole"]> => {
  const { cid, key, mimeType, size, now } = upload
  const known = findBlob(sql, cid)
  const failure = isTakenDown(upload, known)
  if (failure !== undefined) return failure
  if (known?.state === state.uploading) return undefined
  const stored = known === undefined ? undefined : locationOf(known)
  if (stored !== undefined) return renew(sql, upload, stored, known?.state)
  if (known !== undefined) return undefined
  const exceeded = exceeds(sql, upload, undefined)
  if (exceeded !== undefined) return exceeded
  sql.transaction(() => {
    addUsage(sql, size)
    sql.exec(
      "INSERT INTO blob (state, id, key, mime, size, since) VALUES (0, ?, ?, ?, ?, ?)",
      cid,
      key,
      mimeType,
      size,
      now
    )
    noteWait(sql, now)
  })
  return "noted"
}

/** Unconfirmed uploads: that of a CID, or at most so many. */
export const unconfirmed = (sql: Sql, of: string | number): ReadonlyArray<BlobLocation> =>
  sql
    .exec<BlobRow>(
      `SELECT id, key, mime, size FROM blob WHERE state = 0 AND key IS NOT NULL AND takedown IS NULL
        AND ${typeof of === "string" ? "id = ?" : "true LIMIT ?"}`,
      of
    )
    .toArray()
    .map(locationOf)
    .filter((found) => found !== undefined)

/** Moves a confirmed upload; nothing if the sweep was faster or the blob was stored otherwise. */
export const confirm = (sql: Sql, upload: Upload): void => {
  const { cid, key } = upload
  const known = findBlob(sql, cid)
  const isHere = sql.exec("SELECT 1 FROM blob WHERE state = 0 AND id = ? AND key = ?", cid, key)
  if (isHere.toArray().length === 0) return
  if (known?.state === state.uploading) {
    sql.exec("UPDATE blob SET state = 1 WHERE state = 0 AND id = ?", cid)
  } else if (known?.state === state.expected) {
    sql.exec("DELETE FROM blob WHERE state = 0 AND id = ?", cid)
    fulfil(sql, upload, known)
  }
}

/** Leaves the key to the next sweep. It may never have been noted, or been condemned already. */
const condemnUpload = (sql: Sql, { key, now }: Upload): void => {
  noteWait(sql, now)
  const moved = sql.exec<{ id: string }>(
    "UPDATE blob SET state = 4, since = ? WHERE state = 0 AND id = ? RETURNING id",
    now,
    key
  )
  if (moved.toArray().length > 0) return
  sql.exec("INSERT OR IGNORE INTO blob (state, id, since) VALUES (4, ?, ?)", key, now)
}

/**
 * Keeps the older object of the same content. A temporary blob starts over, with the type that was
 * declared last.
 */
const keepOlder = (
  sql: Sql,
  upload: Upload,
  stored: BlobLocation,
  inState: number | undefined
): BlobLocation =>
  sql.transaction(() => {
    condemnUpload(sql, upload)
    return renew(sql, upload, stored, inState)
  })

const renew = (
  sql: Sql,
  { cid, mimeType, now }: Upload,
  stored: BlobLocation,
  inState: number | undefined
): BlobLocation => {
  if (inState !== state.temporary) return stored
  sql.exec("UPDATE blob SET mime = ?, since = ? WHERE state = 1 AND id = ?", mimeType, now, cid)
  return { ...stored, mimeType }
}

const insert = (sql: Sql, { cid, key, mimeType, size, now }: Upload): void => {
  sql.exec(
    "UPDATE blob SET state = 1, id = ?, key = ?, mime = ?, size = ?, since = ? WHERE state = 0 AND id = ?",
    cid,
    key,
    mimeType,
    size,
    now,
    key
  )
}

/** Fulfils a record's reference. For readers the blob is new, however old the record's rev. */
const fulfil = (sql: Sql, { cid, key, mimeType, size, now }: Upload, known: BlobRow): void => {
  const present = tidFromMicros(now * 1000, 0)
  const rev = known.rev !== null && known.rev > present ? known.rev : present
  sql.exec("DELETE FROM blob WHERE state = 0 AND id = ?", key)
  sql.exec(
    "UPDATE blob SET state = 3, key = ?, mime = ?, size = ?, rev = ?, path = NULL WHERE state = 2 AND id = ?",
    key,
    mimeType,
    size,
    rev,
    cid
  )
}
