import * as Effect from "effect/Effect"
import {
  type BackupObject,
  BackupSourceFailed,
  BackupTargetFailed,
  type BackupTargetShape
} from "../../services/backups/BackupTarget.ts"
import type { BlobStore } from "../../services/blobs/BlobStore.ts"

/** A page of a bucket's listing. */
interface Listing {
  readonly objects: ReadonlyArray<BackupObject>
  readonly cursor?: string
}

/** A backup store over a blob store that can also be listed. */
export const make = (
  name: string,
  store: BlobStore["Service"],
  list: (prefix: string, cursor: string | undefined) => Promise<Listing>
): BackupTargetShape => {
  const failed = (operation: string, key: string) => (cause: unknown) =>
    new BackupTargetFailed({ operation, key, cause })
  return {
    name,
    put: (key, body, size) =>
      store.put(key, body, { length: size, limit: size }).pipe(
        Effect.map(({ cid }) => cid),
        Effect.mapError((cause) =>
          cause._tag === "BlobStoreUnavailable" || cause._tag === "BlobStoreBusy"
            ? failed("put", key)(cause)
            : new BackupSourceFailed({ key, cause })
        )
      ),
    get: (key) => Effect.mapError(store.get(key), failed("get", key)),
    list: (prefix, cursor) =>
      Effect.tryPromise({ try: () => list(prefix, cursor), catch: failed("list", prefix) }),
    delete: (keys) => Effect.mapError(store.delete(keys), failed("delete", keys[0] ?? ""))
  }
}
