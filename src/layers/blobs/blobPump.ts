import { BlobMeter } from "../../core/blobs/meter.ts"
import {
  BlobEmpty,
  BlobIncomplete,
  type BlobStore,
  BlobStoreBusy,
  BlobStoreUnavailable,
  BlobTooLarge,
  type StoredBlob
} from "../../services/blobs/BlobStore.ts"
import type * as Effect from "effect/Effect"
import { openSource } from "./bodySource.ts"

/** The failures of a put. */
export type PutFailure = Effect.Error<ReturnType<BlobStore["Service"]["put"]>>

/** How long a body says it is and how long it may be. */
export interface BodyBounds {
  readonly length?: number
  readonly limit: number
}

/** A typed failure as it is; anything else is the store's fault. */
export const asPutFailure = (cause: unknown): PutFailure =>
  cause instanceof BlobTooLarge ||
  cause instanceof BlobEmpty ||
  cause instanceof BlobIncomplete ||
  cause instanceof BlobStoreBusy
    ? cause
    : new BlobStoreUnavailable({ operation: "put", cause })

/** Fails at once for a declared length that can come to nothing. */
export const checkBounds = ({ length, limit }: BodyBounds): void => {
  if (length === 0) throw new BlobEmpty()
  if (length !== undefined && length > limit) throw new BlobTooLarge({ limit })
}

/**
 * Reads a body to its end, measures it and gives each chunk to `write`, the next one being read meanwhile.
 *
 * A chunk belongs to `write` until the promise it answers is fulfilled; then its memory is used again.
 * Throws the put's typed failures, and whatever `write` throws.
 */
export const pump = async (
  body: ReadableStream<Uint8Array>,
  { length, limit }: BodyBounds,
  signal: AbortSignal,
  write: (chunk: Uint8Array) => Promise<void> | void
): Promise<StoredBlob> => {
  const meter = new BlobMeter()
  const source = openSource(body)
  const incomplete = () =>
    new BlobIncomplete({
      received: meter.size,
      ...(length === undefined ? {} : { expected: length })
    })
  const stop = () => source.cancel()
  signal.addEventListener("abort", stop)
  let writing: Promise<void> = Promise.resolve()
  try {
    while (true) {
      const chunk = await source.read().catch(() => {
        throw incomplete()
      })
      if (signal.aborted) throw incomplete()
      await writing
      if (chunk === undefined) break
      if (meter.size + chunk.byteLength > limit) throw new BlobTooLarge({ limit })
      meter.update(chunk)
      if (length !== undefined && meter.size > length) throw incomplete()
      writing = Promise.resolve(write(chunk)).then(() => source.recycle(chunk))
      // Looked at one turn later; until then a rejection must not count as unhandled.
      writing.catch(() => {})
    }
    if (meter.size === 0) throw new BlobEmpty()
    if (length !== undefined && meter.size < length) throw incomplete()
    return meter.finish()
  } catch (cause) {
    source.cancel()
    throw cause
  } finally {
    signal.removeEventListener("abort", stop)
  }
}
