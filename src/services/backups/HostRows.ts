import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Tables } from "../../core/backups/rows.ts"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

/** The host's database as backups keep it. */
export class HostRows extends Context.Service<
  HostRows,
  {
    /** The rows of one account. */
    ofAccount(did: string): Effect.Effect<Tables, DirectoryUnavailable>
    /** A page of the rows that belong to no one account; no cursor means that it was the last. */
    page(
      cursor: string
    ): Effect.Effect<{ readonly rows: Tables; readonly cursor?: string }, DirectoryUnavailable>
    /** Writes rows of a backup; a row whose key, handle or email address is taken is passed over. */
    restore(tables: Tables): Effect.Effect<void, DirectoryUnavailable>
  }
>()("nacre/services/HostRows") {}
