import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Tables } from "../../core/backups/rows.ts"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

/** The rows of the host's database that a backup contains. */
export class HostRows extends Context.Service<
  HostRows,
  {
    /** The rows of one account. */
    ofAccount(did: string): Effect.Effect<Tables, DirectoryUnavailable>
    /** A page of the rows that don't belong to an account; the last page has no cursor. */
    page(
      cursor: string
    ): Effect.Effect<{ readonly rows: Tables; readonly cursor?: string }, DirectoryUnavailable>
    /** Inserts rows of a backup; skips a row whose key, handle or email address is taken. */
    restore(tables: Tables): Effect.Effect<void, DirectoryUnavailable>
  }
>()("nacre/services/HostRows") {}
