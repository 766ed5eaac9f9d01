import * as Effect from "effect/Effect"
import { AccountRows } from "./AccountRows.ts"

/** What an account's object does for backups. */
export const backupCalls = {
  backupState: () => Effect.flatMap(AccountRows, (rows) => rows.state),
  backupRows: () => Effect.map(AccountRows, (rows) => rows.rows()),
  backupBlobs: (page: { readonly cursor?: string; readonly limit: number }) =>
    Effect.map(AccountRows, (rows) => rows.blobs(page))
}
