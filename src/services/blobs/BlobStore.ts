import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The blob exceeds this server's limit (bytes); sent as 413. */
export class BlobTooLarge extends Schema.TaggedError<BlobTooLarge>()("BlobTooLarge", {
  limit: Schema.Int
}) {
  override get message(): string {
    return `The blob is larger than ${this.limit} bytes`
  }
}

/** The blob has no bytes. */
export class BlobEmpty extends Schema.TaggedError<BlobEmpty>()("BlobEmpty", {}) {
  override get message(): string {
    return "The blob is empty"
  }
}

/** The body ended early, exceeded its Content-Length, or could not be read completely. */
export class BlobIncomplete extends Schema.TaggedError<BlobIncomplete>()("BlobIncomplete", {
  /** The Content-Length, if any. */
  expected: Schema.optional(Schema.Int),
  received: Schema.Int
}) {
  override get message(): string {
    return this.expected === undefined
      ? `The body broke off after ${this.received} bytes`
      : `The body differs from its length of ${this.expected} bytes`
  }
}

/** The blob store failed or could not be reached. */
export class BlobStoreUnavailable extends Schema.TaggedError<BlobStoreUnavailable>()(
  "BlobStoreUnavailable",
  { operation: Schema.String, cause: Schema.Defect() }
) {
  override get message(): string {
    return `The blob store is unavailable (${this.operation})`
  }
}

/** Too many uploads that need memory are running; sent as 503 with `Retry-After`. */
export class BlobStoreBusy extends Schema.TaggedError<BlobStoreBusy>()("BlobStoreBusy", {
  retryAfterSeconds: Schema.Int
}) {
  override get message(): string {
    return "Too many uploads are running; please try again, and send a Content-Length"
  }
}

/** What an upload's bytes revealed. */
export interface StoredBlob {
  readonly cid: string
  readonly size: number
  /** The MIME type that the first bytes show, if any. */
  readonly sniffed: string | undefined
}

/** A part of a blob, within its size. */
export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/** The bytes of a stored blob, or of the requested range. */
export interface BlobBody {
  readonly body: ReadableStream<Uint8Array>
  /** Size of the whole blob. */
  readonly size: number
  readonly range: ByteRange | undefined
}

/**
 * The bytes of all blobs, by random keys.
 *
 * Bodies stream through in bounded memory, hashed, counted and sniffed on the way.
 */
export class BlobStore extends Context.Service<
  BlobStore,
  {
    /**
     * Stores a body under a new key, which holds nothing after a failure. `length` is the
     * Content-Length, if any.
     */
    put(
      key: string,
      body: ReadableStream<Uint8Array>,
      options: { readonly length?: number; readonly limit: number }
    ): Effect.Effect<
      StoredBlob,
      BlobTooLarge | BlobEmpty | BlobIncomplete | BlobStoreBusy | BlobStoreUnavailable
    >
    /** The bytes under a key; undefined if there are none. */
    get(key: string, range?: ByteRange): Effect.Effect<BlobBody | undefined, BlobStoreUnavailable>
    /** Deletes any number of keys; ignores missing ones. */
    delete(keys: ReadonlyArray<string>): Effect.Effect<void, BlobStoreUnavailable>
    /** The size of the object under a key. */
    head(key: string): Effect.Effect<number | undefined, BlobStoreUnavailable>
  }
>()("nacre/services/BlobStore") {}
