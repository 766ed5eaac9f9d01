import * as Effect from "effect/Effect"
import { BlobIndex } from "./BlobIndex.ts"
import { BlobStore } from "./BlobStore.ts"
import { armSweep } from "./BlobSweep.ts"
import { confirmUploads } from "./confirmUploads.ts"

/** References read to find the records that use a blob. */
export const usersRows = 5000

const ownBlobs = Effect.fnUntraced(function* (page: {
  readonly cursor?: string
  readonly limit: number
}) {
  // A later page may follow what has been confirmed by then.
  if (page.cursor === undefined) yield* confirmUploads(page.limit)
  return (yield* BlobIndex).own(page)
})

const ownBlob = Effect.fnUntraced(function* (cid: string) {
  yield* confirmUploads(cid)
  return (yield* BlobIndex).find(cid)
})

const blobUsers = ({ cid, cursor }: { readonly cid: string; readonly cursor?: string }) =>
  Effect.map(BlobIndex, (index) =>
    index.usersOf(cid, { rows: usersRows, ...(cursor === undefined ? {} : { cursor }) })
  )

/** Deletes uploads that no record uses; returns how many there were. */
const discardBlobs = Effect.fnUntraced(function* (cids: ReadonlyArray<string>) {
  yield* Effect.forEach(cids, confirmUploads, { discard: true })
  const index = yield* BlobIndex
  const keys = index.discard(cids)
  if (keys.length === 0) return 0
  // If the store fails, the sweep deletes them later.
  yield* (yield* BlobStore).delete(keys).pipe(
    Effect.andThen(Effect.sync(() => index.swept(keys))),
    Effect.catch((failure) =>
      Effect.andThen(Effect.logWarning("discarded uploads stay for the sweep", failure), armSweep)
    )
  )
  return keys.length
})

/** The owner's calls about their blobs. */
export const ownBlobCalls = { ownBlobs, ownBlob, blobUsers, discardBlobs }
