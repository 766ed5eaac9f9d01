import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** A repo's counts, as checkAccountStatus reports them. */
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
  /** Those of them that are stored on this server. */
  readonly importedBlobs: number
}

/** Counts the content of this object's account without walking the repo. */
export class RepoCounts extends Context.Service<
  RepoCounts,
  { readonly get: Effect.Effect<RepoCount> }
>()("nacre/services/RepoCounts") {}
