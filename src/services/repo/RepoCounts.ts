import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** What checkAccountStatus tells of a repo. */
export interface RepoCount {
  /** The head's CID. */
  readonly commit: string
  readonly rev: string
  /** Blocks of the repo: commit, tree nodes, records. */
  readonly blocks: number
  readonly records: number
  readonly privateStateValues: number
  /** Blobs that records refer to. */
  readonly expectedBlobs: number
  /** Those of them that are stored here. */
  readonly importedBlobs: number
}

/** Counts of what the account in this object holds, without a walk of the repo. */
export class RepoCounts extends Context.Service<
  RepoCounts,
  { readonly get: Effect.Effect<RepoCount> }
>()("nacre/services/RepoCounts") {}
