import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BlobStore } from "../../services/blobs/BlobStore.ts"
import { asPutFailure, checkBounds, pump } from "./blobPump.ts"

const chunkSize = 64 * 1024

const streamOf = (bytes: Uint8Array): ReadableStream<Uint8Array> => {
  let at = 0
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const chunk = bytes.slice(at, at + chunkSize)
      if (chunk.byteLength > 0) controller.enqueue(chunk)
      at += chunk.byteLength
      if (at >= bytes.byteLength) controller.close()
    }
  })
}

/** A blob store over a map. */
export const make = (blobs: Map<string, Uint8Array> = new Map()): BlobStore["Service"] =>
  BlobStore.of({
    put: (key, body, options) =>
      Effect.tryPromise({
        try: async (signal) => {
          checkBounds(options)
          const chunks: Array<Uint8Array> = []
          const blob = await pump(body, options, signal, (chunk) => void chunks.push(chunk.slice()))
          blobs.set(key, new Uint8Array(await new Blob(chunks).arrayBuffer()))
          return blob
        },
        catch: asPutFailure
      }),
    get: (key, range) =>
      Effect.sync(() => {
        const bytes = blobs.get(key)
        if (bytes === undefined) return undefined
        const { offset, length } = range ?? { offset: 0, length: bytes.byteLength }
        const body = streamOf(bytes.subarray(offset, offset + length))
        return { body, size: bytes.byteLength, range }
      }),
    delete: (keys) => Effect.sync(() => keys.forEach((key) => blobs.delete(key))),
    head: (key) => Effect.sync(() => blobs.get(key)?.byteLength)
  })

/** Keeps blobs in memory, for tests and the Node dev server. */
export const layer: Layer.Layer<BlobStore> = Layer.sync(BlobStore, () => make())
