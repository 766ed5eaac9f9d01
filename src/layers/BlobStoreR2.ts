import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BlobStore, BlobStoreUnavailable, type StoredBlob } from "../services/BlobStore.ts"
import { asPutFailure, type BodyBounds, checkBounds, pump } from "./blobPump.ts"
import { isolateParts, type PartBudget } from "./partBudget.ts"
import { PartWriter } from "./r2Parts.ts"

type Body = ReadableStream<Uint8Array>

/** Keys that one call of R2 deletes. */
const deleteAtOnce = 1000

const unavailable = (operation: string) => (cause: unknown) =>
  new BlobStoreUnavailable({ operation, cause })

/** R2 takes a stream only when it knows its length beforehand. */
const putKnown = async (
  bucket: R2Bucket,
  key: string,
  body: Body,
  bounds: BodyBounds & { readonly length: number },
  signal: AbortSignal
): Promise<StoredBlob> => {
  const { readable, writable } = new FixedLengthStream(bounds.length)
  const writer = writable.getWriter()
  const stored = bucket.put(key, readable)
  // When R2 fails first, the write that waits for it must fail too.
  stored.catch((cause) => writer.abort(cause).catch(() => {}))
  try {
    const blob = await pump(body, bounds, signal, (chunk) => writer.write(chunk))
    await writer.close()
    await stored
    return blob
  } catch (cause) {
    await writer.abort(cause).catch(() => {})
    await stored.catch(() => {})
    throw cause
  }
}

/** Without a length: in parts of equal size, of which the last may be shorter. */
const putUnknown = async (
  bucket: R2Bucket,
  key: string,
  body: Body,
  bounds: BodyBounds,
  signal: AbortSignal,
  budget: PartBudget
): Promise<StoredBlob> => {
  const parts = new PartWriter(bucket, key, budget)
  try {
    const blob = await pump(body, bounds, signal, (chunk) => parts.write(chunk))
    await parts.finish()
    return blob
  } catch (cause) {
    await parts.abort()
    throw cause
  } finally {
    parts.release()
  }
}

/** The store of blobs over an R2 bucket. */
export const make = (bucket: R2Bucket, budget: PartBudget = isolateParts): BlobStore["Service"] =>
  BlobStore.of({
    put: (key, body, options) =>
      Effect.tryPromise({
        try: async (signal) => {
          checkBounds(options)
          const { length, limit } = options
          try {
            return length === undefined
              ? await putUnknown(bucket, key, body, { limit }, signal, budget)
              : await putKnown(bucket, key, body, { length, limit }, signal)
          } catch (cause) {
            // R2 may have stored the object and yet failed to say so.
            await bucket.delete(key).catch(() => {})
            throw cause
          }
        },
        catch: asPutFailure
      }),
    get: (key, range) =>
      Effect.tryPromise({
        try: async () => {
          const object = await bucket.get(key, range === undefined ? {} : { range: { ...range } })
          return object === null ? undefined : { body: object.body, size: object.size, range }
        },
        catch: unavailable("get")
      }),
    delete: (keys) =>
      Effect.tryPromise({
        try: async () => {
          for (let at = 0; at < keys.length; at += deleteAtOnce) {
            await bucket.delete(keys.slice(at, at + deleteAtOnce))
          }
        },
        catch: unavailable("delete")
      }),
    head: (key) =>
      Effect.tryPromise({
        try: async () => (await bucket.head(key))?.size,
        catch: unavailable("head")
      })
  })

/** BlobStore over R2. */
export const layer = (bucket: R2Bucket): Layer.Layer<BlobStore> =>
  Layer.succeed(BlobStore, make(bucket))
