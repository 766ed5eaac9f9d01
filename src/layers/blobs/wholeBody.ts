import * as Effect from "effect/Effect"
import {
  BlobEmpty,
  BlobIncomplete,
  BlobStoreUnavailable,
  type WholeBlob,
  type WholeBlobs
} from "../../services/blobs/BlobStore.ts"
import { pump } from "./blobPump.ts"

/** Reads a small body of known length at once, into memory that `giveBack` takes. */
export const readAtOnce = async (
  body: ReadableStream<Uint8Array>,
  bounds: { readonly length: number; readonly limit: number },
  signal: AbortSignal
): Promise<WholeBlob> => {
  const { length } = bounds
  let bytes: Uint8Array = new Uint8Array(0)
  let at = 0
  const blob = await pump(body, { ...bounds, atOnce: true }, signal, (chunk) => {
    if (chunk.byteLength === length) bytes = chunk
    else {
      if (at === 0) bytes = new Uint8Array(length)
      bytes.set(chunk, at)
    }
    at += chunk.byteLength
  })
  return { ...blob, bytes }
}

/** Small bodies for a store that puts bytes so. */
export const wholeBlobs = (
  put: (key: string, bytes: Uint8Array) => Promise<unknown>
): WholeBlobs => ({
  read: (body, length) =>
    Effect.tryPromise({
      try: (signal) => readAtOnce(body, { length, limit: Infinity }, signal),
      catch: (cause) =>
        cause instanceof BlobEmpty || cause instanceof BlobIncomplete
          ? cause
          : new BlobIncomplete({ expected: length, received: 0 })
    }),
  put: (key, { bytes }) =>
    Effect.tryPromise({
      try: () => put(key, bytes),
      catch: (cause) => new BlobStoreUnavailable({ operation: "put", cause })
    })
})
