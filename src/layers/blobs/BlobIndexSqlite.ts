import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { accepts } from "../../core/lexicon/blobs.ts"
import {
  BlobIndex,
  BlobNotFound,
  type BlobReference,
  InvalidMimeType,
  InvalidSize
} from "../../services/blobs/BlobIndex.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import * as Listing from "./blobListing.ts"
import {
  addRef,
  type BlobRow,
  dropRef,
  findBlob,
  noteWait,
  quota,
  refsOf,
  setQuota,
  state,
  usage
} from "./blobRows.ts"
import { discard, Holds, nextSweep, restSweep, sweep } from "./blobSweeps.ts"
import { locationOf, recordUpload } from "./blobUploads.ts"

export { tables } from "./blobRows.ts"

/** Why this reference is rejected, given the blob's row. */
const refuse = (
  { cid, mimeType, size, accept, maxSize }: BlobReference,
  row: BlobRow | undefined
): BlobNotFound | InvalidMimeType | InvalidSize | undefined => {
  const stored = row === undefined || row.takedown !== null ? undefined : locationOf(row)
  if (stored === undefined) return new BlobNotFound({ cid })
  if (stored.mimeType !== mimeType) {
    return new InvalidMimeType({ cid, mimeType, accept: [stored.mimeType] })
  }
  if (accept !== undefined && !accept.some((pattern) => accepts(pattern, mimeType))) {
    return new InvalidMimeType({ cid, mimeType, accept })
  }
  if (stored.size !== size) return new InvalidSize({ cid, size, stored: stored.size })
  if (maxSize !== undefined && size > maxSize) return new InvalidSize({ cid, size, maxSize })
  return undefined
}

/** The blob index in the object's SQLite. */
export const layer = Layer.effect(
  BlobIndex,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const clock = yield* Clock.Clock
    const holds = new Holds()

    return BlobIndex.of({
      noteUpload: (key, now) => {
        sql.exec("INSERT INTO blob (state, id, since) VALUES (0, ?, ?)", key, now)
        noteWait(sql, now)
      },
      dropUpload: (key) => {
        sql.exec("DELETE FROM blob WHERE state = 0 AND id = ?", key)
      },
      record: (upload) => recordUpload(sql, upload),
      check: (references) => {
        for (const reference of references) {
          const row = findBlob(sql, reference.cid)
          const failure = refuse(reference, row)
          if (failure !== undefined) return failure
          if (row?.state === state.temporary) {
            holds.hold(reference.cid, clock.currentTimeMillisUnsafe())
          }
        }
        return undefined
      },
      awaitedBy: (cid) => {
        const row = findBlob(sql, cid)
        return row?.state === state.expected ? (row.path ?? undefined) : undefined
      },
      setRefs: (path, cids, rev, now) => {
        const before = refsOf(sql, path)
        const after = new Set(cids)
        for (const cid of before) if (!after.has(cid)) dropRef(sql, path, cid, now)
        for (const cid of after) if (!before.includes(cid)) addRef(sql, path, cid, rev)
      },
      refs: (path) => refsOf(sql, path),
      drops: (path, cids) => refsOf(sql, path).some((cid) => !cids.includes(cid)),
      dropRefs: (path, now) => {
        for (const cid of refsOf(sql, path)) dropRef(sql, path, cid, now)
      },
      locate: (cid) => {
        const row = findBlob(sql, cid)
        return row?.state === state.permanent && row.takedown === null ? locationOf(row) : undefined
      },
      list: (page) => Listing.list(sql, page),
      missing: (page) => Listing.missing(sql, page),
      own: (page) => Listing.own(sql, page),
      find: (cid) => Listing.ownBlob(findBlob(sql, cid)),
      usersOf: (cid, page) => Listing.usersOf(sql, cid, page),
      discard: (cids) => {
        const now = clock.currentTimeMillisUnsafe()
        return discard(sql, holds.at(now), cids, now)
      },
      counts: () => Listing.counts(sql),
      usage: () => usage(sql),
      quota: () => quota(sql),
      setQuota: (bytes, also) =>
        sql.transaction(() => {
          setQuota(sql, bytes)
          also()
        }),
      setTakedown: (cid, ref) => {
        const row = findBlob(sql, cid)
        if (row === undefined) return false
        // Sweeps skipped it while it was taken down, so it may be due.
        if (ref === undefined && row.state === state.temporary) {
          noteWait(sql, clock.currentTimeMillisUnsafe())
        }
        sql.exec(
          "UPDATE blob SET takedown = ? WHERE state = ? AND id = ?",
          ref ?? null,
          row.state,
          cid
        )
        return true
      },
      takedown: (cid) => findBlob(sql, cid)?.takedown ?? undefined,
      sweep: (...step) => sweep(sql, holds.at(clock.currentTimeMillisUnsafe()), step),
      swept: (keys) => {
        for (const key of keys) sql.exec("DELETE FROM blob WHERE state = 4 AND id = ?", key)
      },
      restSweep: (now, grace) => restSweep(sql, now, grace),
      nextSweep: (grace) => nextSweep(sql, grace),
      keys: (page) => Listing.keys(sql, page)
    })
  })
)
