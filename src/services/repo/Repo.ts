import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Data } from "../../core/repo/cbor.ts"
import type { Cid } from "../../core/repo/cid.ts"
import type { Tree } from "../../core/repo/mst/Tree.ts"
import type { RepoNotFound } from "../accounts/AccountStore.ts"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"
import type { Soon } from "../host/Soon.ts"
import type { BlobNotFound, InvalidMimeType, InvalidSize } from "../blobs/BlobIndex.ts"
import type { RateLimitExceeded } from "../limits/Limiter.ts"
import type { OverlayReading } from "./Overlay.ts"

/**
 * The write violates a rule for records: schema, key, type, size, or the expected existing record.
 */
export class InvalidWrite extends Schema.TaggedError<InvalidWrite>()("InvalidWrite", {
  message: Schema.String
}) {}

/** swapCommit or swapRecord does not match: another client wrote in between. */
export class InvalidSwap extends Schema.TaggedError<InvalidSwap>()("InvalidSwap", {
  message: Schema.String
}) {}

/** The errors of a write. */
export type WriteFailure =
  | InvalidWrite
  | InvalidSwap
  | RepoNotFound
  | BlobNotFound
  | InvalidMimeType
  | InvalidSize
  | RateLimitExceeded
  | DirectoryUnavailable

/** The fields of a record. */
export type RecordData = { readonly [key: string]: Data }

/**
 * One write of a request.
 *
 * `put` creates or updates; a `swapRecord` of null requires that no record exists. `delete` of a
 * missing record is an error only if `strict`.
 */
export type Write =
  | {
      readonly action: "create"
      readonly collection: string
      readonly rkey?: string | undefined
      readonly record: RecordData
    }
  | {
      readonly action: "update"
      readonly collection: string
      readonly rkey: string
      readonly record: RecordData
    }
  | {
      readonly action: "put"
      readonly collection: string
      readonly rkey: string
      readonly record: RecordData
      readonly swapRecord?: Cid | null | undefined
    }
  | {
      readonly action: "delete"
      readonly collection: string
      readonly rkey: string
      readonly strict?: boolean
      readonly swapRecord?: Cid | undefined
    }

/** Options for all writes of a request. */
export interface WriteOptions {
  /**
   * false: no schema check; true: an unknown schema is an error; undefined: check known schemas.
   */
  readonly validate?: boolean | undefined
  /** The commit that the client expects to be the head. */
  readonly swapCommit?: Cid | undefined
  /** A new like, repost, follow or block replaces the one with the same subject. */
  readonly replaceDuplicates?: boolean
}

/** The outcome of one write. */
export interface WriteResult {
  readonly action: "create" | "update" | "delete"
  readonly uri: string
  readonly cid?: Cid
  readonly validationStatus?: "valid" | "unknown"
}

/** The outcome of a request's writes; without a commit if nothing changed. */
export interface Committed {
  readonly results: ReadonlyArray<WriteResult>
  readonly commit?: { readonly cid: Cid; readonly rev: string }
}

/** The newest commit of the repo. */
export interface Head {
  readonly commit: Cid
  /** The signed commit's block. */
  readonly block: Uint8Array
  readonly rev: string
  readonly root: Cid
  readonly records: number
  readonly nodes: number
}

/** A snapshot of a repo, readable while writes continue; the caller must `close` it. */
export interface Snapshot {
  readonly head: Head
  readonly tree: Tree
  readonly overlay: OverlayReading
  /** Whether the repo has not changed since. */
  isCurrent(): boolean
  close(): void
}

/** A repo from another server, ready to replace the current one. */
export interface Replacement {
  /** The head that it replaces; fails if the head has changed since. */
  readonly expected: Cid
  readonly root: Cid
  /** The rev that `revAbove` returned. */
  readonly rev: string
  readonly records: number
  readonly nodes: number
  /**
   * Replaces records and tree inside the commit's transaction; returns the id of the event it
   * emitted, if any.
   */
  place(head: Head): number | undefined
}

/**
 * The repository of one account: signed commits over a Merkle search tree.
 *
 * A write validates, updates the tree, signs, and stores tree, records, blob references, head and
 * the outgoing event in one transaction. Spec: repository v3, sync 1.1.
 */
export class Repo extends Context.Service<
  Repo,
  {
    /**
     * Creates the first, empty commit; its event waits in the outbox until the sign-up is
     * announced.
     */
    readonly create: Effect.Effect<Head, RepoNotFound>
    readonly head: Effect.Effect<Head, RepoNotFound>
    headNow(): Result.Result<Head, RepoNotFound>
    write(
      writes: ReadonlyArray<Write>,
      options: WriteOptions
    ): Effect.Effect<Committed, WriteFailure>
    /** Writes in this turn if nothing has to be waited for; else returns the effect that does. */
    writeNow(
      writes: ReadonlyArray<Write>,
      options: WriteOptions,
      services: Context.Context<never>
    ): Soon<Committed, WriteFailure>
    /**
     * Signs a new commit over the same tree after `change` (of the signing key) and announces it.
     *
     * No other commit is signed during the change; if the change fails, none is signed.
     */
    recommitAfter<E>(change: Effect.Effect<void, E>): Effect.Effect<Head, RepoNotFound | E>
    /** A rev above both the head's and a foreign commit's. */
    revAbove(rev: string): Effect.Effect<string, RepoNotFound>
    /**
     * Signs a commit over another tree and swaps that tree in, in one transaction; running exports
     * fail.
     */
    replace(
      replacement: Replacement
    ): Effect.Effect<Head, RepoNotFound | InvalidSwap | DirectoryUnavailable>
    readonly snapshot: Effect.Effect<Snapshot, RepoNotFound>
    /** The collections that hold records, known without a walk. */
    collections(): Result.Result<ReadonlyArray<string>, RepoNotFound>
  }
>()("nacre/services/Repo") {}
