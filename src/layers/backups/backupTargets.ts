import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Config } from "../../services/host/Config.ts"
import * as BackupTargetR2 from "./BackupTargetR2.ts"
import * as BackupTargetS3 from "./BackupTargetS3.ts"

/** The configured backup store, else the bucket bound as `BACKUPS`, else none. */
export const layer = (bucket: R2Bucket | undefined): Layer.Layer<never, never, Config> =>
  Layer.unwrap(
    Effect.map(Config, ({ backupStore }) => {
      if (backupStore !== undefined) return BackupTargetS3.layer(backupStore)
      return bucket === undefined ? Layer.empty : BackupTargetR2.layer(bucket)
    })
  )
