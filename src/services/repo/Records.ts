import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import type { Cid } from "../../core/repo/cid.ts"
import type { Overlay } from "./Overlay.ts"

/** The record doesn't exist, or not in the requested version. */
export class RecordNotFound extends Schema.TaggedError<RecordNotFound>()("RecordNotFound", {
  uri: Schema.String
}) {}

/** A stored record; `value` is its DAG-CBOR block. */
export interface StoredRecord {
  readonly path: string
  readonly cid: Cid
  /** The rev of the commit that wrote it. */
  readonly rev: string
  readonly value: Uint8Array
}

/** A record without its block. */
export interface RecordSize {
  readonly path: string
  readonly cid: Cid
  readonly rev: string
  /** Length of its block, in bytes. */
  readonly length: number
}

/** How much of a CAR a page of rows takes, in bytes. */
export interface CarShare<Key> {
  readonly length: number
  /** The key of the last row, unless it was the end. */
  readonly last: Key | undefined
}

/**
 * A page ends early at this many bytes: a hundred of the largest records would not fit into memory.
 */
export const pageBytes = 4_000_000

/**
 * The parameters of listRecords: newest first unless `ascending`; `after` is the last rkey seen,
 * exclusive.
 */
export interface RecordPage {
  readonly collection: string
  readonly limit: number
  readonly after?: string
  readonly ascending: boolean
  /** The first rkey of a range, inclusive. */
  readonly from?: string
  /** The end of a range of rkeys, exclusive. */
  readonly before?: string
}

/** How many records a collection has, and the bytes of their blocks, as far as they were counted. */
export interface Tally {
  readonly records: number
  readonly bytes: number
}

/**
 * The records of an account, by path (`collection/rkey`).
 *
 * Synchronous: `put` and `remove` run inside the commit's transaction.
 */
export class Records extends Context.Service<
  Records,
  {
    get(path: string): StoredRecord | undefined
    /** The record, unless it is taken down. */
    getShown(path: string): Pick<StoredRecord, "cid" | "value"> | undefined
    put(path: string, cid: Cid, value: Uint8Array, rev: string, overlay: Overlay): void
    remove(path: string, overlay: Overlay): void
    /**
     * A page, and whether more may follow; it ends at its limit or with the record that reaches
     * `pageBytes`.
     */
    page(page: RecordPage): { readonly records: Array<StoredRecord>; readonly more: boolean }
    /**
     * At most `limit` records or about `bytes`, from `path` on (inclusive), in path order, which is
     * the tree's order.
     */
    from(path: string, limit: number, bytes?: number): Array<StoredRecord>
    /** Like `from`, without reading the blocks. */
    sizesFrom(path: string, limit: number): Array<RecordSize>
    /** The CAR bytes of at most `limit` records after this path. */
    carShare(after: string, limit: number): CarShare<string>
    /** The collections that hold records, found by skipping from one to the next; at most `limit` after one. */
    collections(after?: string, limit?: number): Array<string>
    /** Counts a collection's records; reads at most `limit` rows. */
    tally(collection: string, limit: number): Tally
    hasCollection(collection: string): boolean
    /** The records in one of four collections that name `subject`, for duplicate prevention. */
    backlinks(collection: string, subject: string): Array<string>
  }
>()("nacre/services/Records") {}
