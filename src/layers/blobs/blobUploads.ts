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
  const known = findBlob(sql, cid)
  const stored = known === undefined ? undefined : locationOf(known)
  // A repeated call whose first response was lost.
  if (stored?.key === key) return { blob: stored, condemned: false }
  if (stored !== undefined && hasKey(sql, state.condemned, key))
    return { blob: stored, condemned: true }
  const failure = refuse(sql, upload, known, stored !== undefined)
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

const refuse = (
  sql: Sql,
  { cid, key, size, quota }: Upload,
  known: BlobRow | undefined,
  stored: boolean
): BlobTakendown | UploadExpired | BlobQuotaExceeded | undefined => {
  if (known !== undefined && known.takedown !== null) return new BlobTakendown({ cid })
  if (!hasKey(sql, state.uploading, key)) return new UploadExpired({ key })
  if (stored || quota === undefined) return undefined
  const used = usage(sql)
  return used + size > quota ? new BlobQuotaExceeded({ used, quota }) : undefined
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
    if (inState !== state.temporary) return stored
    const { cid, mimeType, now } = upload
    sql.exec("UPDATE blob SET mime = ?, since = ? WHERE state = 1 AND id = ?", mimeType, now, cid)
    return { ...stored, mimeType }
  })

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
