import * as Context from "effect/Context"
import * as Schema from "effect/Schema"

/** Where a stored blob lies and what it is. */
export interface BlobLocation {
  readonly cid: string
  /** The R2 key: random, made before the content was known. */
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

/** A blob's MIME type differs from what was stored, or from what its place in the record accepts. */
export class InvalidMimeType extends Schema.TaggedError<InvalidMimeType>()("InvalidMimeType", {
  cid: Schema.String,
  mimeType: Schema.String,
  /** What would have done: the stored type, or the patterns of the place. */
  accept: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `The blob ${this.cid} is ${this.mimeType} here, but must be ${this.accept.join(" or ")}`
  }
}

/** A blob's size differs from what was stored, or is above what its place in the record allows. */
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

/** The account's blobs would take more bytes than it may store. */
export class BlobQuotaExceeded extends Schema.TaggedError<BlobQuotaExceeded>()(
  "BlobQuotaExceeded",
  { used: Schema.Int, quota: Schema.Int }
) {
  override get message(): string {
    return `The account holds ${this.used} bytes of blobs, of ${this.quota} allowed`
  }
}

/** A moderator has taken this very blob down: it may not be uploaded again. */
export class BlobTakendown extends Schema.TaggedError<BlobTakendown>()("BlobTakendown", {
  cid: Schema.String
}) {
  override get message(): string {
    return `The blob has been taken down: ${this.cid}`
  }
}

/** An upload is recorded that was never noted, or took longer than such uploads are kept. */
export class UploadExpired extends Schema.TaggedError<UploadExpired>()("UploadExpired", {
  key: Schema.String
}) {
  override get message(): string {
    return "The upload took too long; please send the blob again"
  }
}

/** A reference to a blob inside a record, with the constraints of its place. */
export interface BlobReference {
  readonly cid: string
  readonly mimeType: string
  readonly size: number
  readonly accept?: ReadonlyArray<string>
  readonly maxSize?: number
}

/** One page of a listing; no cursor means that it was the last. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly cursor: string | undefined
}

/**
 * Which blobs an account has, where they lie, and which records refer to them.
 *
 * All methods are synchronous. `check`, `setRefs` and `dropRefs` belong INSIDE the commit's transaction, so that
 * references and records stand or fall together; the others are transactions of their own and stay outside of one.
 *
 * A blob is temporary until a record refers to it, permanent while one does, and temporary again, with a new date,
 * when the last reference goes. A blob that is referred to and was not uploaded (after an import) is expected.
 * Times are in milliseconds.
 */
export class BlobIndex extends Context.Service<
  BlobIndex,
  {
    /** Notes the key that an upload is about to write to, so that it can be swept if the upload never ends. */
    noteUpload(key: string, now: number): void
    /** An upload came to nothing, and its key is gone from the store. */
    dropUpload(key: string): void
    /**
     * Records a complete upload: temporary, or permanent at once when a record already refers to it.
     * Answers the blob as it is now kept: of a CID that was here before, the older object stays and the new one is
     * condemned (`condemned` says so). After a failure too the key is condemned: the next sweep deletes it.
     */
    record(
      upload: BlobLocation & { readonly now: number; readonly quota?: number }
    ):
      | { readonly blob: BlobLocation; readonly condemned: boolean }
      | BlobQuotaExceeded
      | BlobTakendown
      | UploadExpired
    /** The first reason why these references may not be written, or nothing. */
    check(
      references: ReadonlyArray<BlobReference>
    ): BlobNotFound | InvalidMimeType | InvalidSize | undefined
    /** A record that refers to this blob, while the blob is not here. */
    awaitedBy(cid: string): string | undefined
    /** Makes these the blobs that the record at `path` refers to; `rev` is the commit's. */
    setRefs(path: string, cids: ReadonlyArray<string>, rev: string, now: number): void
    /** The blobs that the record at `path` refers to. */
    refs(path: string): ReadonlyArray<string>
    /** Whether the record at `path` refers to a blob that is not among these. */
    drops(path: string, cids: ReadonlyArray<string>): boolean
    /** The record at `path` is gone, and with it its references. */
    dropRefs(path: string, now: number): void
    /** A blob that may be served: permanent and not taken down. */
    locate(cid: string): BlobLocation | undefined
    /**
     * CIDs of the blobs that may be served, in the order of their CIDs; with `since`, those that became so after
     * that rev. A page may be short, even empty, while it has a cursor: each call reads a bounded number of rows.
     */
    list(page: {
      readonly since?: string
      readonly cursor?: string
      readonly limit: number
    }): Page<string>
    /** Blobs that records refer to and that were not uploaded, each with the path of one such record. */
    missing(page: {
      readonly cursor?: string
      readonly limit: number
    }): Page<{ readonly cid: string; readonly path: string }>
    /** How many different blobs records refer to, and how many of those are here. */
    counts(): { readonly expected: number; readonly imported: number }
    /** The bytes that the account stores, temporary blobs included. */
    usage(): number
    /** Takes a blob down under a moderator's reference, or (undefined) sets it free again; false if it is not here. */
    setTakedown(cid: string, ref: string | undefined): boolean
    /** The reference under which a blob is taken down. */
    takedown(cid: string): string | undefined
    /**
     * Condemns, at most `limit` at a time, uploads that were never recorded and temporary blobs, both when older
     * than `grace`; answers the keys of everything condemned, to be deleted from the store. A condemned blob can no
     * longer be referred to; its row goes with `swept`, after the store has deleted it.
     */
    sweep(now: number, grace: number, limit: number): ReadonlyArray<string>
    /** The store has deleted these keys. */
    swept(keys: ReadonlyArray<string>): void
    /** A sweep has found no more: what still waits is looked at again a day later, or when it is due. */
    restSweep(now: number, grace: number): void
    /** When the next sweep is, or nothing if nothing waits for one. */
    nextSweep(grace: number): number | undefined
    /** Every key in the store, page by page: for deleting an account and for backups. */
    keys(page: { readonly cursor?: string; readonly limit: number }): Page<string>
  }
>()("nacre/services/BlobIndex") {}
