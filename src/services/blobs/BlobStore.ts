import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The blob is larger than this server takes (bytes); on the wire 413. */
export class BlobTooLarge extends Schema.TaggedError<BlobTooLarge>()("BlobTooLarge", {
  limit: Schema.Int
}) {
  override get message(): string {
    return `The blob is larger than ${this.limit} bytes`
  }
}

/** A blob of no bytes. */
export class BlobEmpty extends Schema.TaggedError<BlobEmpty>()("BlobEmpty", {}) {
  override get message(): string {
    return "The blob is empty"
  }
}

/** The body ended early, ran past its Content-Length, or could not be read to its end. */
export class BlobIncomplete extends Schema.TaggedError<BlobIncomplete>()("BlobIncomplete", {
  /** The Content-Length, if there was one. */
  expected: Schema.optional(Schema.Int),
  received: Schema.Int
}) {
  override get message(): string {
    return this.expected === undefined
      ? `The body broke off after ${this.received} bytes`
      : `The body differs from its length of ${this.expected} bytes`
  }
}

/** The store of blobs failed or could not be reached. */
export class BlobStoreUnavailable extends Schema.TaggedError<BlobStoreUnavailable>()(
  "BlobStoreUnavailable",
  { operation: Schema.String, cause: Schema.Defect() }
) {
  override get message(): string {
    return `The blob store is unavailable (${this.operation})`
  }
}

/** As many uploads of unknown length are under way as this server holds; on the wire 503 with `Retry-After`. */
export class BlobStoreBusy extends Schema.TaggedError<BlobStoreBusy>()("BlobStoreBusy", {
  retryAfterSeconds: Schema.Int
}) {
  override get message(): string {
    return "Too many uploads without a Content-Length; please send it, or try again"
  }
}

/** What was learnt of the bytes while they passed. */
export interface StoredBlob {
  readonly cid: string
  readonly size: number
  /** The MIME type that the first bytes tell, if they tell one. */
  readonly sniffed: string | undefined
}

/** A part of a blob, within its size. */
export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/** The bytes of a stored blob, or of the range asked for. */
export interface BlobBody {
  readonly body: ReadableStream<Uint8Array>
  /** Of the whole blob. */
  readonly size: number
  readonly range: ByteRange | undefined
}

/**
 * The bytes of all blobs, by random keys.
 *
 * A body streams through in bounded memory: hashed, counted and sniffed on its way.
 */
export class BlobStore extends Context.Service<
  BlobStore,
  {
    /**
     * Stores a body under a key of its own; after a failure nothing lies there.
     * `length` is the Content-Length, when there is one.
     */
    put(
      key: string,
      body: ReadableStream<Uint8Array>,
      options: { readonly length?: number; readonly limit: number }
    ): Effect.Effect<
      StoredBlob,
      BlobTooLarge | BlobEmpty | BlobIncomplete | BlobStoreBusy | BlobStoreUnavailable
    >
    /** The bytes under a key, or nothing when there are none. */
    get(key: string, range?: ByteRange): Effect.Effect<BlobBody | undefined, BlobStoreUnavailable>
    /** Deletes keys, any number of them; those that are not there are passed over. */
    delete(keys: ReadonlyArray<string>): Effect.Effect<void, BlobStoreUnavailable>
    /** The size of what lies under a key. */
    head(key: string): Effect.Effect<number | undefined, BlobStoreUnavailable>
  }
>()("nacre/services/BlobStore") {}
