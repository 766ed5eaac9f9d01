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

/** A body's declared length and maximum length. */
export interface BodyBounds {
  readonly length?: number
  readonly limit: number
  /** Whether a body of this length may come as one chunk, which `write` keeps. */
  readonly atOnce?: boolean
}

/** A typed failure unchanged; anything else becomes a failure of the store. */
export const asPutFailure = (cause: unknown): PutFailure =>
  cause instanceof BlobTooLarge ||
  cause instanceof BlobEmpty ||
  cause instanceof BlobIncomplete ||
  cause instanceof BlobStoreBusy
    ? cause
    : new BlobStoreUnavailable({ operation: "put", cause })

/** Throws for a declared length that is invalid. */
export const checkBounds = ({ length, limit }: BodyBounds): void => {
  if (length === 0) throw new BlobEmpty()
  if (length !== undefined && length > limit) throw new BlobTooLarge({ limit })
}

/**
 * Reads a body to its end, measures it and passes each chunk to `write` while it reads the next.
 *
 * A chunk belongs to `write` until its promise is fulfilled; then the memory is reused. Throws the
 * typed failures of a put, and whatever `write` throws.
 */
export const pump = async (
  body: ReadableStream<Uint8Array>,
  { length, limit, atOnce = false }: BodyBounds,
  signal: AbortSignal,
  write: (chunk: Uint8Array) => Promise<void> | void
): Promise<StoredBlob> => {
  const meter = new BlobMeter()
  const source = openSource(body, atOnce ? length : undefined)
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
      // Awaited one turn later; until then a rejection must not count as unhandled.
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
