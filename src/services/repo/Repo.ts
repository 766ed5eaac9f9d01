import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Data } from "../../core/repo/cbor.ts"
import type { Cid } from "../../core/repo/cid.ts"
import type { Tree } from "../../core/repo/mst/Tree.ts"
import type { RepoNotFound } from "../accounts/AccountStore.ts"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"
import type { BlobNotFound, InvalidMimeType, InvalidSize } from "../blobs/BlobIndex.ts"
import type { RateLimitExceeded } from "../limits/Limiter.ts"
import type { OverlayReading } from "./Overlay.ts"

/** A write that breaks a rule of records: schema, key, type, size, or what it expects to be there. */
export class InvalidWrite extends Schema.TaggedError<InvalidWrite>()("InvalidWrite", {
  message: Schema.String
}) {}

/** Somebody else wrote in between: swapCommit or swapRecord does not match. */
export class InvalidSwap extends Schema.TaggedError<InvalidSwap>()("InvalidSwap", {
  message: Schema.String
}) {}

/** What can be wrong with a write. */
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
 * One write that a client asks for.
 *
 * `put` creates or updates; its `swapRecord` of null demands that nothing is there.
 * `delete` of a missing record is an error only when `strict`.
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

/** How the writes of one request are to be taken. */
export interface WriteOptions {
  /** false: no schema check; true: an unknown schema is an error; undefined: check what is known. */
  readonly validate?: boolean | undefined
  /** The commit the client believes to be the head. */
  readonly swapCommit?: Cid | undefined
  /** A new like, repost, follow or block replaces the one that names the same subject. */
  readonly replaceDuplicates?: boolean
}

/** What became of one write. */
export interface WriteResult {
  readonly action: "create" | "update" | "delete"
  readonly uri: string
  readonly cid?: Cid
  readonly validationStatus?: "valid" | "unknown"
}

/** What became of a request's writes; no commit when nothing changed. */
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

/** A repo as it was at one moment, to be read while writes go on; `close` it. */
export interface Snapshot {
  readonly head: Head
  readonly tree: Tree
  readonly overlay: OverlayReading
  /** Whether the repo is still as it was. */
  isCurrent(): boolean
  close(): void
}

/** A repo from elsewhere, ready to be put in the place of the one that is here. */
export interface Replacement {
  /** The commit that it takes the place of: another head in the meantime is in its way. */
  readonly expected: Cid
  readonly root: Cid
  /** From `revAbove`. */
  readonly rev: string
  readonly records: number
  readonly nodes: number
  /** Puts records and tree in place, inside the commit's transaction; answers the id of the event it pushed, if any. */
  place(head: Head): number | undefined
}

/**
 * The repository of one account: signed commits over a Merkle search tree.
 *
 * A write is: validate, apply to the tree, sign, and one transaction which stores tree, records,
 * blob references, head and the outgoing event together. Spec: repository v3, sync 1.1.
 */
export class Repo extends Context.Service<
  Repo,
  {
    /** Makes the first, empty commit; its event waits in the outbox until the sign-up is announced. */
    readonly create: Effect.Effect<Head, RepoNotFound>
    readonly head: Effect.Effect<Head, RepoNotFound>
    write(
      writes: ReadonlyArray<Write>,
      options: WriteOptions
    ): Effect.Effect<Committed, WriteFailure>
    /**
     * Signs a new commit over the same tree after `change` (of the signing key), and announces it.
     *
     * Nothing else is signed during the change; where it fails, nothing is signed at all.
     */
    recommitAfter<E>(change: Effect.Effect<void, E>): Effect.Effect<Head, RepoNotFound | E>
    /** A rev for a commit that is to follow both the head and a commit from elsewhere. */
    revAbove(rev: string): Effect.Effect<string, RepoNotFound>
    /** Signs a commit over another tree, in one transaction with what puts it in place; exports that still run fail. */
    replace(
      replacement: Replacement
    ): Effect.Effect<Head, RepoNotFound | InvalidSwap | DirectoryUnavailable>
    readonly snapshot: Effect.Effect<Snapshot, RepoNotFound>
    /** The collections that hold records, without a walk. */
    readonly collections: Effect.Effect<ReadonlyArray<string>, RepoNotFound>
  }
>()("nacre/services/Repo") {}
