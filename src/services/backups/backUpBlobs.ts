import * as Effect from "effect/Effect"
import type { BlobEntry, Stored } from "../../core/backups/manifests.ts"
import { blobKey, blobsPageKey, blobsPrefix } from "../../core/backups/places.ts"
import { Accounts } from "../accounts/Accounts.ts"
import { BlobStore } from "../blobs/BlobStore.ts"
import type { KeptBlob } from "./AccountRows.ts"
import { BackupDamaged, BackupSourceFailed, backupTarget } from "./BackupTarget.ts"
import type { Budget } from "./Budget.ts"
import { listAll, putManifest } from "./objects.ts"

/** Blobs read from an account's object at a time, and the length of a list. */
const pageSize = 1000

/** Copies a blob, and deletes the copy if its digest is wrong. */
export const copyBlob = Effect.fnUntraced(function* (did: string, { cid, key: source }: KeptBlob) {
  const target = yield* backupTarget
  const key = blobKey(did, cid)
  const read = (yield* BlobStore).get(source)
  const blob = yield* Effect.mapError(read, (cause) => new BackupSourceFailed({ key, cause }))
  if (blob === undefined) {
    return yield* new BackupSourceFailed({ key, cause: "the blob store doesn't have it" })
  }
  const digest = yield* target.put(key, blob.body, blob.size)
  if (digest === cid) return blob.size
  yield* target.delete([key])
  return yield* new BackupDamaged({
    key,
    problem: "has other bytes in the blob store than its CID says"
  })
})

/** The result of copying an account's blobs. */
export interface BlobPass {
  /** False if the budget ran out before the last one. */
  readonly isWhole: boolean
  readonly copied: number
  readonly bytes: number
  /** The blobs that couldn't be copied, with the reason. */
  readonly faults: ReadonlyArray<{ readonly key: string; readonly problem: string }>
}

/**
 * Copies those of an account's blobs that the store doesn't have under their name, with their size.
 *
 * Calls `each` for every blob that is then in the store. Skips a blob that is lost or damaged on the server itself.
 */
export const copyBlobs = Effect.fnUntraced(function* <E = never, R = never>(
  did: string,
  budget: Budget,
  each: (blob: BlobEntry) => Effect.Effect<void, E, R>
) {
  const there = yield* listAll(blobsPrefix(did))
  budget.spend(1 + there.size / 1000)
  const accounts = yield* Accounts
  const faults: Array<{ readonly key: string; readonly problem: string }> = []
  let cursor: string | undefined
  let copied = 0
  let bytes = 0
  const result = (isWhole: boolean): BlobPass => ({ isWhole, copied, bytes, faults })
  do {
    const page: { readonly items: ReadonlyArray<KeptBlob>; readonly cursor: string | undefined } =
      yield* accounts.call(did, "backupBlobs", {
        limit: pageSize,
        ...(cursor === undefined ? {} : { cursor })
      })
    budget.spend(1)
    for (const blob of page.items) {
      const { cid, size, mimeType } = blob
      const key = blobKey(did, cid)
      if (there.get(key) !== size) {
        // Each call copies at least one, or a slow store would never get to the end.
        if (copied + faults.length > 0 && (yield* budget.isSpent)) return result(false)
        budget.spend(2)
        const copy = yield* copyBlob(did, blob).pipe(
          Effect.map(() => undefined),
          Effect.catchTags({
            BackupSourceFailed: (failure) => Effect.succeed(failure.message),
            BackupDamaged: ({ problem }) => Effect.succeed(problem)
          })
        )
        if (copy !== undefined) {
          faults.push({ key, problem: copy })
          continue
        }
        there.set(key, size)
        copied++
        bytes += size
      }
      yield* each({ cid, size, mimeType })
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return result(true)
})

/** Writes the lists of an account's blobs, page by page. */
export const blobLists = (did: string, run: string) => {
  const lists: Array<Stored> = []
  const known = new Set<string>()
  let page: Array<BlobEntry> = []
  let bytes = 0
  const write = Effect.suspend(() => {
    const entries = page
    page = []
    return Effect.map(putManifest(blobsPageKey(did, run, lists.length + 1), entries), (stored) => {
      lists.push(stored)
    })
  })
  return {
    add: (blob: BlobEntry) => {
      // A blob that becomes permanent between two pages appears twice.
      if (known.has(blob.cid)) return Effect.void
      known.add(blob.cid)
      bytes += blob.size
      page.push(blob)
      return page.length === pageSize ? write : Effect.void
    },
    end: Effect.suspend(() => (page.length === 0 ? Effect.void : write)).pipe(
      Effect.map(() => ({ count: known.size, bytes, lists, known }))
    )
  }
}
