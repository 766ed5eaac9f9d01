import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { OddRecord } from "../../core/repo/import/oddRecords.ts"
import type { RepoNotFound } from "../accounts/AccountStore.ts"
import type { UploadExpired } from "../blobs/BlobIndex.ts"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"
import type { BlobStoreUnavailable } from "../blobs/BlobStore.ts"
import type { IdentityUnavailable } from "../identity/Identity.ts"

/** The CAR cannot replace this account's repo; nothing has changed. */
export class ImportRefused extends Schema.TaggedError<ImportRefused>()("ImportRefused", {
  reason: Schema.String
}) {
  override get message(): string {
    return `The repo cannot be imported: ${this.reason}`
  }
}

/** Another account's import is running on the same machine; sent as 503 with `Retry-After`. */
export class ImportBusy extends Schema.TaggedError<ImportBusy>()("ImportBusy", {
  retryAfterSeconds: Schema.Int
}) {
  override get message(): string {
    return "Another repo is being imported; please try again"
  }
}

/**
 * The imported records that were kept as they are: they are served and exported, but could not be
 * written here.
 */
export interface Imported {
  /** Their total number. */
  readonly odd: number
  /** The first of them. */
  readonly named: ReadonlyArray<OddRecord>
}

/** A repo that this server exported itself, such as a backup's: no limit of size applies. */
export interface TrustedRepo {
  /** The did:key that its commit is signed with. */
  readonly signingKey: string
}

/** Replaces this account's repo with one from another server. */
export class RepoImport extends Context.Service<
  RepoImport,
  {
    /**
     * Reads a staged CAR from the blob store, twice, and swaps its repo in, in one transaction,
     * under a commit signed with this account's key. A failure leaves the repo unchanged.
     *
     * A new import replaces a running one.
     */
    run(
      key: string,
      trusted?: TrustedRepo
    ): Effect.Effect<
      Imported,
      | ImportRefused
      | ImportBusy
      | RepoNotFound
      | UploadExpired
      | BlobStoreUnavailable
      | IdentityUnavailable
      | DirectoryUnavailable
    >
    /** Fails if no import can start now. */
    readonly admit: Effect.Effect<void, ImportBusy | RepoNotFound>
    /** Removes the leftovers of interrupted imports. */
    readonly sweep: Effect.Effect<void>
  }
>()("nacre/services/RepoImport") {}
