import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { BlobEntry } from "../../core/backups/manifests.ts"
import type { Tables } from "../../core/backups/rows.ts"
import type { RepoNotFound } from "../accounts/AccountStore.ts"
import type { Page } from "../blobs/BlobIndex.ts"

/** An account's current state, without its records. */
export interface AccountState {
  readonly rev: string
  /** The did:key of the repo's signing key. */
  readonly signingKey: string
  /** The digest of the private rows. */
  readonly digest: string
  /** The number of missing blobs that records refer to. */
  readonly awaited: number
}

/** An account's head and its index of blobs, to compare with its repo. */
export interface CheckState {
  readonly rev: string
  readonly signingKey: string
  /** The head's counts of records and nodes. */
  readonly records: number
  readonly nodes: number
  /** CIDs of the stored blobs that records refer to. */
  readonly referred: ReadonlyArray<string>
  /** CIDs of blobs that records refer to but nobody has uploaded. */
  readonly awaited: ReadonlyArray<string>
}

/** A blob and where its bytes are. */
export interface KeptBlob extends BlobEntry {
  /** Its key in the blob store. */
  readonly key: string
}

/** The rows of an account's object that a backup contains. */
export class AccountRows extends Context.Service<
  AccountRows,
  {
    readonly state: Effect.Effect<AccountState, RepoNotFound>
    readonly checkState: Effect.Effect<CheckState, RepoNotFound>
    /** The rows that aren't in the CAR: account, sign-in methods (without sessions), preferences and takedowns. */
    rows(): Tables
    /** Every stored blob, referenced or not: a record deleted during the backup mustn't cost it the blob. */
    blobs(page: { readonly cursor?: string; readonly limit: number }): Page<KeptBlob>
    /** Creates the account from these rows, in an object without one. */
    create(tables: Tables): Effect.Effect<void>
    /** Replaces the preferences with those in the rows. */
    putPreferences(tables: Tables): void
    /** Takes down the blobs that the rows mark as taken down. */
    putBlobTakedowns(tables: Tables): void
  }
>()("nacre/services/AccountRows") {}
