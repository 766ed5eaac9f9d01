import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { BlobIndex, type BlobLocation, BlobNotFound } from "./BlobIndex.ts"
import { BlobStore } from "./BlobStore.ts"

type Index = BlobIndex["Service"]
type Store = BlobStore["Service"]

/** A put that took longer is recorded like an upload of unknown content, in milliseconds. */
export const longPut = 60_000

/** How long an upload may be on its way without being recorded again, in milliseconds. */
export const longestPut = 5 * 60_000

/** More than an account uploads in a grace period. */
export const allUploads = 1000

/** Heads that the store is asked for at the same time. */
const atOnce = 6

/** Confirms an upload if the store has its bytes. */
export const confirmUpload = Effect.fnUntraced(function* (
  index: Index,
  store: Store,
  { cid, key, mimeType, size }: BlobLocation
) {
  if ((yield* store.head(key)) !== size) return yield* new BlobNotFound({ cid })
  index.confirm({ cid, key, mimeType, size }, yield* Clock.currentTimeMillis)
})

/**
 * Confirms unconfirmed uploads that the store has, that of a CID or at most so many, for callers that
 * need to know all that is stored. The others may be on their way.
 */
export const confirmUploads = Effect.fnUntraced(function* (of: string | number) {
  const index = yield* BlobIndex
  const store = yield* BlobStore
  const confirm = (upload: BlobLocation) =>
    Effect.catch(confirmUpload(index, store, upload), (failure) =>
      failure._tag === "BlobNotFound"
        ? Effect.void
        : Effect.logWarning("an upload could not be confirmed", failure)
    )
  yield* Effect.forEach(index.unconfirmed(of), confirm, { concurrency: atOnce, discard: true })
})
