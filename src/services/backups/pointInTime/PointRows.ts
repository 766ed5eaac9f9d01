import * as Context from "effect/Context"
import type { Tables } from "../../../core/backups/rows.ts"
import type { Page } from "../../blobs/BlobIndex.ts"

/** What later revs and events must exceed. */
export interface Floor {
  readonly rev: string
  /** The id of the last event. */
  readonly event: number
}

/** An object in the blob store: a blob's, or, without a CID, one that waits to be recorded or deleted. */
export interface HeldKey {
  readonly key: string
  readonly cid?: string
  readonly mimeType?: string
  readonly size?: number
}

/** What an account keeps while its records, blobs and preferences go back to an earlier state. */
export interface Present {
  /** The rows of everything else: the account, its ways in, moderation, history. */
  readonly tables: Tables
  readonly floor: Floor
  readonly keys: ReadonlyArray<HeldKey>
}

/** An object's rows on both sides of a return to an earlier state. */
export class PointRows extends Context.Service<
  PointRows,
  {
    tables(): Tables
    floor(): Floor
    keys(page: { readonly cursor?: string; readonly limit: number }): Page<HeldKey>
    /**
     * Puts the present's rows into the earlier state: ends all sessions, and points the index of
     * blobs to the objects that still exist. The object must restart, since it remembers old rows.
     */
    putBack(present: Present, now: number): void
  }
>()("nacre/services/PointRows") {}
