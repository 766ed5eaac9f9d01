import { BlobStoreBusy } from "../../services/blobs/BlobStore.ts"
import { within } from "../host/stall.ts"
import type { Lease, PartBudget } from "./partBudget.ts"

/** What uploads need of a bucket: R2's own has it. */
export interface PartBucket {
  put(key: string, bytes: Uint8Array): Promise<unknown>
  createMultipartUpload(key: string): Promise<MultipartUpload>
}

/** An upload in parts, which are numbered from 1. */
export interface MultipartUpload {
  uploadPart(number: number, part: Uint8Array): Promise<UploadedPart>
  complete(parts: Array<UploadedPart>): Promise<unknown>
  abort(): Promise<void>
}

/** A part that the bucket has taken. */
export interface UploadedPart {
  readonly partNumber: number
  readonly etag: string
}

/** R2 requires equal parts of at least 5 MiB, except for the last. */
const partSize = 5 * 1024 * 1024

/**
 * Buffer sizes of a growing body: small ones don't pay for a whole part, and each step leaves
 * garbage.
 */
const capacities = [256 * 1024, 1024 * 1024, partSize]

/** `Retry-After` when there is no room, in seconds. */
const busySeconds = 5

/**
 * Writes a body of unknown length to a bucket as a multipart upload, one part at a time.
 *
 * Holds one part and reads on when the bucket has taken it. A body smaller than a part becomes a plain put.
 */
export class PartWriter {
  readonly #bucket: PartBucket
  readonly #key: string
  readonly #budget: PartBudget
  readonly #lease: Lease
  /** How long the bucket may take for one step, in milliseconds. */
  readonly #stall: number
  #buffer = new Uint8Array(0)
  #filled = 0
  #upload: MultipartUpload | undefined
  #parts: Array<UploadedPart> = []

  constructor(
    bucket: PartBucket,
    key: string,
    { budget, stall }: { readonly budget: PartBudget; readonly stall: number }
  ) {
    this.#bucket = bucket
    this.#key = key
    this.#stall = stall
    this.#budget = budget
    this.#lease = budget.open(Date.now())
  }

  /**
   * Adds the bytes of a chunk, which may be reused once the promise is fulfilled; throws
   * BlobStoreBusy.
   */
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength;) {
      const bytes = chunk.subarray(at, at + partSize - this.#filled)
      this.#reserve(this.#filled + bytes.byteLength)
      this.#buffer.set(bytes, this.#filled)
      this.#filled += bytes.byteLength
      at += bytes.byteLength
      if (this.#filled === partSize) await this.#send()
    }
  }

  /** Completes the object. */
  async finish(): Promise<void> {
    if (this.#upload === undefined) {
      const bytes = this.#buffer.subarray(0, this.#filled)
      await within(this.#stall, this.#bucket.put(this.#key, bytes))
      return
    }
    if (this.#filled > 0) await this.#send()
    await within(this.#stall, this.#upload.complete(this.#parts))
  }

  /** Aborts; the bucket discards what it has. */
  async abort(): Promise<void> {
    if (this.#upload === undefined) return
    await within(this.#stall, this.#upload.abort()).catch(() => {})
  }

  /** Frees the memory; the last call in any case. */
  release(): void {
    this.#budget.close(this.#lease)
    this.#buffer = new Uint8Array(0)
    this.#filled = 0
  }

  /** Makes room for `size` bytes in total. */
  #reserve(size: number): void {
    const wanted = Math.max(size, this.#buffer.byteLength)
    const capacity = capacities.find((step) => step >= wanted) ?? partSize
    if (!this.#budget.hold(this.#lease, capacity, Date.now())) {
      throw new BlobStoreBusy({ retryAfterSeconds: busySeconds })
    }
    if (capacity === this.#buffer.byteLength) return
    const larger = new Uint8Array(capacity)
    larger.set(this.#buffer.subarray(0, this.#filled))
    this.#buffer = larger
  }

  async #send(): Promise<void> {
    this.#upload ??= await within(this.#stall, this.#bucket.createMultipartUpload(this.#key))
    const part = this.#buffer.subarray(0, this.#filled)
    const sent = this.#upload.uploadPart(this.#parts.length + 1, part)
    this.#parts.push(await within(this.#stall, sent))
    this.#filled = 0
  }
}
