import * as Layer from "effect/Layer"
import { BackupTarget, type BackupTargetShape } from "../../services/backups/BackupTarget.ts"
import * as BlobStoreR2 from "../blobs/BlobStoreR2.ts"
import * as BackupTargetBlobs from "./BackupTargetBlobs.ts"

/** A backup store over an R2 bucket. */
export const make = (bucket: R2Bucket): BackupTargetShape =>
  BackupTargetBlobs.make("the bucket BACKUPS", BlobStoreR2.make(bucket), async (prefix, cursor) => {
    const page = await bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) })
    const objects = page.objects.map(({ key, size }) => ({ key, size }))
    return page.truncated ? { objects, cursor: page.cursor } : { objects }
  })

export const layer = (bucket: R2Bucket): Layer.Layer<never> =>
  Layer.succeed(BackupTarget, make(bucket))
