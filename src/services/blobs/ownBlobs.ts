import * as Effect from "effect/Effect"
import { BlobIndex } from "./BlobIndex.ts"
import { BlobStore } from "./BlobStore.ts"
import { armSweep } from "./BlobSweep.ts"

/** References read to find the records that use a blob. */
export const usersRows = 5000

const ownBlobs = (page: { readonly cursor?: string; readonly limit: number }) =>
  Effect.map(BlobIndex, (index) => index.own(page))

const ownBlob = (cid: string) => Effect.map(BlobIndex, (index) => index.find(cid))

const blobUsers = ({ cid, cursor }: { readonly cid: string; readonly cursor?: string }) =>
  Effect.map(BlobIndex, (index) =>
    index.usersOf(cid, { rows: usersRows, ...(cursor === undefined ? {} : { cursor }) })
  )

/** Deletes uploads that no record uses; returns how many there were. */
const discardBlobs = Effect.fnUntraced(function* (cids: ReadonlyArray<string>) {
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
