import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { BlobEntry } from "../../core/backups/manifests.ts"
import type { Tables } from "../../core/backups/rows.ts"
import type { RepoNotFound } from "../accounts/AccountStore.ts"
import type { Page } from "../blobs/BlobIndex.ts"

/** An account as it is now, without its records. */
export interface AccountState {
  readonly rev: string
  /** The did:key of the repo's signing key. */
  readonly signingKey: string
  /** The digest of the private rows. */
  readonly digest: string
  /** How many blobs are missing that records refer to. */
  readonly awaited: number
}

/** An account's head and its index of blobs, to compare with its repo. */
export interface CheckState {
  readonly rev: string
  readonly signingKey: string
  /** As the head counts them. */
  readonly records: number
  readonly nodes: number
  /** CIDs of the stored blobs that records refer to. */
  readonly referred: ReadonlyArray<string>
  /** CIDs of the blobs that records refer to and that were never uploaded. */
  readonly awaited: ReadonlyArray<string>
}

/** A blob and where its bytes are. */
export interface KeptBlob extends BlobEntry {
  /** Its key in the blob store. */
  readonly key: string
}

/** The rows of an account's object that a backup keeps. */
export class AccountRows extends Context.Service<
  AccountRows,
  {
    readonly state: Effect.Effect<AccountState, RepoNotFound>
    readonly checkState: Effect.Effect<CheckState, RepoNotFound>
    /** The rows that no CAR holds: the account, its ways in except sessions, preferences, takedowns. */
    rows(): Tables
    /** Every stored blob, those without a record too, so a record deleted meanwhile doesn't take its blob along. */
    blobs(page: { readonly cursor?: string; readonly limit: number }): Page<KeptBlob>
    /** Makes the account of these rows, in an object without one. */
    create(tables: Tables): Effect.Effect<void>
    /** Replaces the preferences by those of the rows. */
    putPreferences(tables: Tables): void
    /** Takes down the blobs that the rows name as taken down. */
    putBlobTakedowns(tables: Tables): void
  }
>()("nacre/services/AccountRows") {}
