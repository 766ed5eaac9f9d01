import * as Context from "effect/Context"
import * as Schema from "effect/Schema"

/** A stored blob and its location. */
export interface BlobLocation {
  readonly cid: string
  /** The R2 key: random, chosen before the content was known. */
  readonly key: string
  readonly mimeType: string
  readonly size: number
}

/** A record refers to a blob that was not uploaded, or may not be used. */
export class BlobNotFound extends Schema.TaggedError<BlobNotFound>()("BlobNotFound", {
  cid: Schema.String
}) {
  override get message(): string {
    return `Could not find blob: ${this.cid}`
  }
}

/**
 * A blob's MIME type differs from the stored one, or is not accepted at its place in the record.
 */
export class InvalidMimeType extends Schema.TaggedError<InvalidMimeType>()("InvalidMimeType", {
  cid: Schema.String,
  mimeType: Schema.String,
  /** The accepted types: the stored type, or the patterns of the place. */
  accept: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `The blob ${this.cid} is ${this.mimeType} here, but must be ${this.accept.join(" or ")}`
  }
}

/** A blob's size differs from the stored one, or exceeds the limit of its place in the record. */
export class InvalidSize extends Schema.TaggedError<InvalidSize>()("InvalidSize", {
  cid: Schema.String,
  size: Schema.Int,
  stored: Schema.optional(Schema.Int),
  maxSize: Schema.optional(Schema.Int)
}) {
  override get message(): string {
    return this.stored === undefined
      ? `The blob ${this.cid} has ${this.size} bytes, more than the ${this.maxSize} allowed`
      : `The blob ${this.cid} is said to have ${this.size} bytes, but has ${this.stored}`
  }
}

/** The account's blobs would exceed its storage quota. */
export class BlobQuotaExceeded extends Schema.TaggedError<BlobQuotaExceeded>()(
  "BlobQuotaExceeded",
  { used: Schema.Int, quota: Schema.Int }
) {
  override get message(): string {
    return `The account holds ${this.used} bytes of blobs, of ${this.quota} allowed`
  }
}

/** A moderator took this blob down, so it cannot be uploaded again. */
export class BlobTakendown extends Schema.TaggedError<BlobTakendown>()("BlobTakendown", {
  cid: Schema.String
}) {
  override get message(): string {
    return `The blob has been taken down: ${this.cid}`
  }
}

/** The upload was never noted, or took longer than unrecorded uploads are kept. */
export class UploadExpired extends Schema.TaggedError<UploadExpired>()("UploadExpired", {
  key: Schema.String
}) {
  override get message(): string {
    return "The upload took too long; please send the blob again"
  }
}

/** A reference to a blob in a record, with the constraints of its place. */
export interface BlobReference {
  readonly cid: string
  readonly mimeType: string
  readonly size: number
  readonly accept?: ReadonlyArray<string>
  readonly maxSize?: number
}

/** A stored blob as its owner sees it. */
export interface OwnBlob extends BlobLocation {
  /** How many records refer to it. */
  readonly refs: number
  readonly isTakenDown: boolean
}

/** One page of a listing; the last has no cursor. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly cursor: string | undefined
}

/**
 * An account's blobs: where they are stored, and which records refer to them.
 *
 * All methods are synchronous. `check`, `setRefs` and `dropRefs` belong INSIDE the commit's
 * transaction, so references and records succeed or fail together; the others are transactions of
 * their own and must stay outside of one.
 *
 * A blob is temporary until a record refers to it, then permanent, and temporary again with a new
 * date after the last reference is gone. A blob that is referred to but was not uploaded (after an
 * import) is expected. Times are in milliseconds.
 */
export class BlobIndex extends Context.Service<
  BlobIndex,
  {
    /**
     * Notes the key that an upload will write to, so the sweep finds it if the upload never
     * completes.
     */
    noteUpload(key: string, now: number): void
    /** Forgets an upload that failed and whose key the store has deleted. */
    dropUpload(key: string): void
    /**
     * Records a complete upload: temporary, or permanent at once if a record already refers to it.
     * Returns the blob as it is kept: if the CID was already stored, the older object stays and the
     * new one is condemned (see `condemned`). A failure condemns the key as well, and the next
     * sweep deletes it.
     */
    record(
      upload: BlobLocation & { readonly now: number; readonly quota?: number }
    ):
      | { readonly blob: BlobLocation; readonly condemned: boolean }
      | BlobQuotaExceeded
      | BlobTakendown
      | UploadExpired
    /** The first reason to reject these references; undefined if there is none. */
    check(
      references: ReadonlyArray<BlobReference>
    ): BlobNotFound | InvalidMimeType | InvalidSize | undefined
    /** The path of a record that refers to this missing blob. */
    awaitedBy(cid: string): string | undefined
    /** Sets the blobs that the record at `path` refers to; `rev` is the commit's. */
    setRefs(path: string, cids: ReadonlyArray<string>, rev: string, now: number): void
    /** The blobs that the record at `path` refers to. */
    refs(path: string): ReadonlyArray<string>
    /** Whether the record at `path` refers to a blob outside of this list. */
    drops(path: string, cids: ReadonlyArray<string>): boolean
    /** Removes the references of a deleted record. */
    dropRefs(path: string, now: number): void
    /** The location of a blob that may be served: permanent and not taken down. */
    locate(cid: string): BlobLocation | undefined
    /**
     * CIDs of the blobs that may be served, in CID order; with `since`, those that became so after
     * that rev. A page with a cursor may be short or empty, because each call reads a limited
     * number of rows.
     */
    list(page: {
      readonly since?: string
      readonly cursor?: string
      readonly limit: number
    }): Page<string>
    /**
     * The blobs that records refer to but that were not uploaded, each with one such record's path.
     */
    missing(page: {
      readonly cursor?: string
      readonly limit: number
    }): Page<{ readonly cid: string; readonly path: string }>
    /** How many distinct blobs records refer to, and how many of them are stored. */
    counts(): { readonly expected: number; readonly imported: number }
    /** Every stored blob, the temporary ones first, for its owner. */
    own(page: { readonly cursor?: string; readonly limit: number }): Page<OwnBlob>
    /** A stored blob for its owner, whether anybody may download it or not. */
    find(cid: string): OwnBlob | undefined
    /**
     * Paths of records that refer to a blob. Reads at most `rows` references a page, so a page with
     * a cursor may be empty.
     */
    usersOf(cid: string, page: { readonly cursor?: string; readonly rows: number }): Page<string>
    /**
     * Condemns these blobs at once, except those that a record refers to, a commit is about to use,
     * or a moderator took down; returns their keys, to delete from the store.
     */
    discard(cids: ReadonlyArray<string>): ReadonlyArray<string>
    /** The bytes that the account stores, including temporary blobs. */
    usage(): number
    /** The account's own quota in bytes (0: no limit), if an operator has set one. */
    quota(): number | undefined
    /** Sets or removes the account's own quota; `also` runs in the same transaction. */
    setQuota(bytes: number | undefined, also: () => void): void
    /**
     * Takes a blob down under a moderator's reference, or restores it (undefined); false if it
     * isn't stored.
     */
    setTakedown(cid: string, ref: string | undefined): boolean
    /** The reference under which a blob was taken down. */
    takedown(cid: string): string | undefined
    /**
     * Condemns at most `limit` unrecorded uploads and temporary blobs older than `grace`, and
     * returns all condemned keys to delete from the store. Nothing can refer to a condemned blob;
     * call `swept` to remove its row after the store has deleted it.
     */
    sweep(now: number, grace: number, limit: number): ReadonlyArray<string>
    /** Removes the rows of keys that the store has deleted. */
    swept(keys: ReadonlyArray<string>): void
    /**
     * Ends a sweep that found no more: what still waits is checked again a day later, or when it is
     * due.
     */
    restSweep(now: number, grace: number): void
    /** When the next sweep is due; undefined if nothing waits. */
    nextSweep(grace: number): number | undefined
    /** Every key in the store, page by page, for account deletion and backups. */
    keys(page: { readonly cursor?: string; readonly limit: number }): Page<string>
  }
>()("nacre/services/BlobIndex") {}
