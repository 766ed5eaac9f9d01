import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

/** What the server knows of a DID's PLC log. */
export interface SeenOperation {
  /**
   * The CID of the last operation that is the server's, its owner's, or older than the watch; with
   * `foreignAt`, of the last one that somebody else made.
   */
  readonly cid: string
  /** When the watch first saw the operation that somebody else made, in milliseconds. */
  readonly foreignAt?: number
}

/** The operations that a host's database keeps as known. */
export interface SeenOperationsShape {
  get(
    dids: ReadonlyArray<string>
  ): Effect.Effect<ReadonlyMap<string, SeenOperation>, DirectoryUnavailable>
  set(did: string, seen: SeenOperation): Effect.Effect<void, DirectoryUnavailable>
  /** Removes DIDs without an account. */
  readonly tidy: Effect.Effect<void, DirectoryUnavailable>
}

/** The last known PLC operation of each account; undefined if nobody watches. */
export const SeenOperations = Context.Reference<SeenOperationsShape | undefined>(
  "nacre/services/SeenOperations",
  { defaultValue: () => undefined }
)
