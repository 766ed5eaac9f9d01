import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { BlobEntry } from "../../core/backups/manifests.ts"
import type { Tables } from "../../core/backups/rows.ts"
import type { RepoNotFound } from "../accounts/AccountStore.ts"
import type { Page } from "../blobs/BlobIndex.ts"

/** What an account is like now, without its records. */
export interface AccountState {
  readonly rev: string
  /** The did:key of the repo's signing key. */
  readonly signingKey: string
  /** Of the private rows. */
  readonly digest: string
  /** How many blobs records refer to that are not here. */
  readonly awaited: number
}

/** A blob and where its bytes are. */
export interface KeptBlob extends BlobEntry {
  /** Its key in the blob store. */
  readonly key: string
}

/** What an account's object holds, as backups keep it. */
export class AccountRows extends Context.Service<
  AccountRows,
  {
    readonly state: Effect.Effect<AccountState, RepoNotFound>
    /** The rows that are in no CAR: the account, its ways in but for sessions, preferences, takedowns. */
    rows(): Tables
    /** Every blob that is here, those without a record too: a record that goes meanwhile must not take its blob along. */
    blobs(page: { readonly cursor?: string; readonly limit: number }): Page<KeptBlob>
  }
>()("nacre/services/AccountRows") {}
