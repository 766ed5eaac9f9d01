import { BlobMeter } from "../blob/meter.ts"
import {
  BlobEmpty,
  BlobIncomplete,
  type BlobStore,
  BlobStoreUnavailable,
  BlobTooLarge,
  type StoredBlob
} from "../services/BlobStore.ts"
import type * as Effect from "effect/Effect"

/** The failures of a put. */
export type PutFailure = Effect.Error<ReturnType<BlobStore["Service"]["put"]>>

/** Bytes read at once. Larger chunks are no faster, smaller ones cost turns. */
const chunkSize = 256 * 1024

/** How long a body says it is and how long it may be. */
export interface BodyBounds {
  readonly length?: number
  readonly limit: number
}

/** A typed failure as it is; anything else is the store's fault. */
export const asPutFailure = (cause: unknown): PutFailure =>
  cause instanceof BlobTooLarge || cause instanceof BlobEmpty || cause instanceof BlobIncomplete
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

interface Source {
  /** The next bytes, at least one of them, or nothing at the end. */
  read(): Promise<Uint8Array | undefined>
  recycle(chunk: Uint8Array): void
  cancel(): void
}

/** Reads into own buffers where the stream can (the platform's bodies): large chunks, no garbage. */
const openSource = (body: ReadableStream<Uint8Array>): Source => {
  const reader = byobReader(body)
  if (reader === undefined) return openPlain(body)
  const spare: Array<ArrayBuffer> = []
  let ended = false
  const read = async (): Promise<Uint8Array | undefined> => {
    if (ended) return undefined
    const view = new Uint8Array(spare.pop() ?? new ArrayBuffer(chunkSize))
    // workerd alone has readAtLeast; its read() gives a packet at a time.
    const result =
      "readAtLeast" in reader
        ? await reader.readAtLeast(view.byteLength, view)
        : await (reader as ReadableStreamBYOBReader).read(view)
    ended = result.done
    if (result.value !== undefined && result.value.byteLength > 0) return result.value
    return ended ? undefined : read()
  }
  return {
    read,
    recycle: (chunk) => {
      // SAFETY: the chunk is a view on the whole of a buffer that was made above.
      spare.push(chunk.buffer as ArrayBuffer)
    },
    cancel: () => void reader.cancel().catch(() => {})
  }
}

/** A stream made of ready chunks has no such reader and says so by throwing. */
const byobReader = (body: ReadableStream<Uint8Array>) => {
  try {
    return body.getReader({ mode: "byob" })
  } catch {
    return undefined
  }
}

const openPlain = (body: ReadableStream<Uint8Array>): Source => {
  const reader = body.getReader()
  const read = async (): Promise<Uint8Array | undefined> => {
    const { done, value } = await reader.read()
    if (done) return undefined
    return value.byteLength > 0 ? value : read()
  }
  return { read, recycle: () => {}, cancel: () => void reader.cancel().catch(() => {}) }
}
