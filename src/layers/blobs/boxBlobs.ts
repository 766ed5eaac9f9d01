import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BlobStore } from "../../services/blobs/BlobStore.ts"
import { Config } from "../../services/host/Config.ts"
import * as BlobStoreFiles from "./BlobStoreFiles.ts"
import * as BlobStoreS3 from "./BlobStoreS3.ts"
import * as s3Bucket from "./s3Bucket.ts"

/** Blobs as files in a data folder; new ones in the configured bucket, if there is one. */
export const layer = (folder: string): Layer.Layer<BlobStore, never, Config> =>
  Layer.effect(
    BlobStore,
    Effect.gen(function* () {
      const { blobStore } = yield* Config
      const files = yield* BlobStoreFiles.open(join(folder, "blobs"))
      return blobStore === undefined
        ? files
        : BlobStoreS3.over(files, BlobStoreS3.make(s3Bucket.make(blobStore)))
    })
  )
