import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import type { Cid } from "../../core/repo/cid.ts"
import type { Overlay } from "./Overlay.ts"

/** There is no such record, or not in the version asked for. */
export class RecordNotFound extends Schema.TaggedError<RecordNotFound>()("RecordNotFound", {
  uri: Schema.String
}) {}

/** A record as it lies in the store; `value` is its DAG-CBOR block. */
export interface StoredRecord {
  readonly path: string
  readonly cid: Cid
  /** The commit that wrote it. */
  readonly rev: string
  readonly value: Uint8Array
}

/** A record without its block. */
export interface RecordSize {
  readonly path: string
  readonly cid: Cid
  readonly rev: string
  /** Of its block, in bytes. */
  readonly length: number
}

/** What a page of rows takes in a CAR. */
export interface CarShare<Key> {
  readonly length: number
  /** The last row counted, unless no more rows can follow. */
  readonly last: Key | undefined
}

/** Bytes of records that one page holds before it ends early: a hundred of the largest would not fit into memory. */
export const pageBytes = 4_000_000

/** Which records listRecords wants: newest first unless `ascending`; `after` is the last rkey seen, exclusive. */
export interface RecordPage {
  readonly collection: string
  readonly limit: number
  readonly after?: string
  readonly ascending: boolean
}

/**
 * The records of an account, rows keyed by path (`collection/rkey`).
 *
 * Synchronous: `put` and `remove` run inside the commit's transaction.
 */
export class Records extends Context.Service<
  Records,
  {
    get(path: string): StoredRecord | undefined
    put(path: string, cid: Cid, value: Uint8Array, rev: string, overlay: Overlay): void
    remove(path: string, overlay: Overlay): void
    /** A page, and whether others may follow: it ends at its limit, or at the record that makes it `pageBytes`. */
    page(page: RecordPage): { readonly records: Array<StoredRecord>; readonly more: boolean }
    /** At most `limit` records or about `bytes`, at `path` and after it, in path order: the tree's leaf order. */
    from(path: string, limit: number, bytes?: number): Array<StoredRecord>
    /** The same without their blocks, which are not read. */
    sizesFrom(path: string, limit: number): Array<RecordSize>
    /** What the records after this path take in a CAR, at most `limit` of them. */
    carShare(after: string, limit: number): CarShare<string>
    /** The collections that hold a record, found by skipping from one to the next. */
    collections(): Array<string>
    hasCollection(collection: string): boolean
    /** The records of these four collections that name `subject`: what duplicate prevention looks up. */
    backlinks(collection: string, subject: string): Array<string>
  }
>()("nacre/services/Records") {}
