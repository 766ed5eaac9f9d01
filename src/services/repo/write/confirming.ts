import * as Effect from "effect/Effect"
import type { BlobIndex, BlobUnconfirmed } from "../../blobs/BlobIndex.ts"
import type { BlobStore } from "../../blobs/BlobStore.ts"
import { confirmUpload } from "../../blobs/confirmUploads.ts"
import type { WriteFailure } from "../Repo.ts"

/**
 * Runs a write, and again after each upload that it needs and the store has; `first` is one that it
 * is known to need.
 */
export const confirming = (blobs: BlobIndex["Service"], store: BlobStore["Service"]) => {
  const confirmed = <A>(
    write: Effect.Effect<A, WriteFailure | BlobUnconfirmed>,
    first?: BlobUnconfirmed
  ): Effect.Effect<A, WriteFailure> =>
    first === undefined
      ? Effect.catchTag(write, "BlobUnconfirmed", (upload) => confirmed(write, upload))
      : Effect.andThen(confirmUpload(blobs, store, first), confirmed(write))
  return confirmed
}
