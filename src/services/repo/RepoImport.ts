import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { OddRecord } from "../../core/repo/import/oddRecords.ts"
import type { RepoNotFound } from "../accounts/AccountStore.ts"
import type { UploadExpired } from "../blobs/BlobIndex.ts"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"
import type { BlobStoreUnavailable } from "../blobs/BlobStore.ts"
import type { IdentityUnavailable } from "../identity/Identity.ts"

/** The CAR is not a repo that may be put in this account's place, for this reason; nothing was changed. */
export class ImportRefused extends Schema.TaggedError<ImportRefused>()("ImportRefused", {
  reason: Schema.String
}) {
  override get message(): string {
    return `The repo cannot be imported: ${this.reason}`
  }
}

/** Another account's import is under way on the same machine; on the wire 503 with `Retry-After`. */
export class ImportBusy extends Schema.TaggedError<ImportBusy>()("ImportBusy", {
  retryAfterSeconds: Schema.Int
}) {
  override get message(): string {
    return "Another repo is being imported; please try again"
  }
}

/** Records that an import has kept as they came: they are served and exported, and could not be written here. */
export interface Imported {
  /** How many there are. */
  readonly odd: number
  /** The first of them. */
  readonly named: ReadonlyArray<OddRecord>
}

/** Puts a repo from elsewhere in the place of this account's. */
export class RepoImport extends Context.Service<
  RepoImport,
  {
    /**
     * Reads the CAR that is staged in the blob store under a key, twice, and puts its repo in place in one
     * transaction, under a commit of this account's key. Whatever fails leaves the repo as it was.
     *
     * An import that begins while another runs takes its place.
     */
    run(
      key: string
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
    /** Fails where an import could not begin now. */
    readonly admit: Effect.Effect<void, ImportBusy | RepoNotFound>
    /** Removes what imports that were cut off have left. */
    readonly sweep: Effect.Effect<void>
  }
>()("nacre/services/RepoImport") {}
