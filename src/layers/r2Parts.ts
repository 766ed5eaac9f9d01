/** R2 wants all parts but the last to be of one size, and at least 5 MiB. */
const partSize = 8 * 1024 * 1024

const firstBuffer = 256 * 1024

/**
 * Writes a body of unknown length to R2 as a multipart upload: one part fills while the one before is on its way.
 *
 * A body below one part becomes a plain put.
 */
export class PartWriter {
  readonly #bucket: R2Bucket
  readonly #key: string
  #buffer = new Uint8Array(firstBuffer)
  #filled = 0
  #spare: Uint8Array<ArrayBuffer> | undefined
  #upload: R2MultipartUpload | undefined
  #parts: Array<R2UploadedPart> = []
  #sending: Promise<Uint8Array<ArrayBuffer>> | undefined

  constructor(bucket: R2Bucket, key: string) {
    this.#bucket = bucket
    this.#key = key
  }

  /** Takes the bytes of a chunk, which is free again when the promise is fulfilled. */
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

  /** Makes the object of all that was written. */
  async finish(): Promise<void> {
    if (this.#upload === undefined) {
      await this.#bucket.put(this.#key, this.#buffer.subarray(0, this.#filled))
      return
    }
    if (this.#filled > 0) await this.#send()
    await this.#sending
    await this.#upload.complete(this.#parts)
  }

  /** Gives up; what R2 already has of it is discarded. */
  async abort(): Promise<void> {
    await this.#sending?.catch(() => {})
    await this.#upload?.abort().catch(() => {})
  }

  /** Small bodies do not pay for a whole part. */
  #reserve(size: number): void {
    if (size <= this.#buffer.byteLength) return
    let capacity = this.#buffer.byteLength
    while (capacity < size) capacity = Math.min(capacity * 2, partSize)
    const larger = new Uint8Array(capacity)
    larger.set(this.#buffer.subarray(0, this.#filled))
    this.#buffer = larger
  }

  async #send(): Promise<void> {
    this.#upload ??= await this.#bucket.createMultipartUpload(this.#key)
    if (this.#sending !== undefined) this.#spare = await this.#sending
    const upload = this.#upload
    const full = this.#buffer
    const number = this.#parts.length + 1
    this.#sending = upload.uploadPart(number, full.subarray(0, this.#filled)).then((part) => {
      this.#parts.push(part)
      return full
    })
    // Looked at by the next send or by finish; until then a rejection must not count as unhandled.
    this.#sending.catch(() => {})
    this.#buffer = this.#spare ?? new Uint8Array(partSize)
    this.#spare = undefined
    this.#filled = 0
  }
}
