import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BlobStore, BlobStoreUnavailable, type StoredBlob } from "../../services/blobs/BlobStore.ts"
import { Config } from "../../services/host/Config.ts"
import { asPutFailure, type BodyBounds, checkBounds, pump } from "./blobPump.ts"
import { isolateParts, type PartBudget } from "./partBudget.ts"
import { PartWriter } from "./partWriter.ts"
import { giveBack, onePiece } from "./spareMemory.ts"
import { Stalled, within } from "../host/stall.ts"
import type { Bounds } from "../host/sql/bounds.ts"

type Body = ReadableStream<Uint8Array>

/** How long one step of a put (a chunk, the end, a part) may take R2, in milliseconds. */
const patience = 30_000
const localPatience = 4000

/** Options for tests. */
interface BlobStoreOptions {
  readonly budget?: PartBudget
  /** How long R2 may go without progress, in milliseconds. */
  readonly stall?: number
}

interface Waiting {
  readonly signal: AbortSignal
  readonly stall: number
}

/** The most keys that one R2 call deletes. */
const deleteAtOnce = 1000

const unavailable = (operation: string) => (cause: unknown) =>
  new BlobStoreUnavailable({ operation, cause })

/** Reads a small body of known length. */
const readWhole = async (
  body: Body,
  bounds: BodyBounds & { readonly length: number },
  signal: AbortSignal
) => {
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
  return { bytes, blob }
}

/** Puts a stream of known length as it arrives; R2 requires the length beforehand. */
const putStream = async (
  bucket: R2Bucket,
  key: string,
  body: Body,
  bounds: BodyBounds & { readonly length: number },
  { signal, stall }: Waiting
): Promise<StoredBlob> => {
  const { readable, writable } = new FixedLengthStream(bounds.length)
  const writer = writable.getWriter()
  const stored = bucket.put(key, readable)
  // When R2 fails first, the write that waits for it must fail too.
  stored.catch((cause) => writer.abort(cause).catch(() => {}))
  try {
    const blob = await pump(body, bounds, signal, (chunk) => within(stall, writer.write(chunk)))
    await within(stall, writer.close())
    await within(stall, stored)
    return blob
  } catch (cause) {
    const ended = writer.abort(cause).catch(() => {})
    // Don't wait for a put that has stalled already.
    if (!(cause instanceof Stalled)) {
      await within(stall, Promise.allSettled([ended, stored])).catch(() => {})
    }
    throw cause
  }
}

/** Puts a stream of unknown length in equal parts; the last may be shorter. */
const putUnknown = async (
  bucket: R2Bucket,
  key: string,
  body: Body,
  bounds: BodyBounds,
  { signal, stall }: Waiting,
  budget: PartBudget
): Promise<StoredBlob> => {
  const parts = new PartWriter(bucket, key, { budget, stall })
  try {
    const blob = await pump(body, bounds, signal, (chunk) => parts.write(chunk))
    await parts.finish()
    return blob
  } catch (cause) {
    if (!(cause instanceof Stalled)) await parts.abort()
    throw cause
  } finally {
    parts.release()
  }
}

/** A blob store over an R2 bucket. */
export const make = (
  bucket: R2Bucket,
  { budget = isolateParts, stall = patience }: BlobStoreOptions = {}
): BlobStore["Service"] =>
  BlobStore.of({
    put: (key, body, options) =>
      Effect.tryPromise({
        try: async (signal) => {
          checkBounds(options)
          const { length, limit } = options
          const waiting = { signal, stall }
          const isSmall = length !== undefined && length <= onePiece
          // Outside of the try: R2 has nothing to delete if this body breaks off.
          const whole = isSmall ? await readWhole(body, { length, limit }, signal) : undefined
          try {
            if (whole !== undefined) {
              await within(stall, bucket.put(key, whole.bytes))
              giveBack(whole.bytes)
              return whole.blob
            }
            return length === undefined
              ? await putUnknown(bucket, key, body, { limit }, waiting, budget)
              : await putStream(bucket, key, body, { length, limit }, waiting)
          } catch (cause) {
            // R2 may have stored the object although it reported a failure; the sweep handles a
            // stalled put.
            if (!(cause instanceof Stalled)) {
              await within(stall, bucket.delete(key)).catch(() => {})
            }
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

/** Keeps blobs in R2; on a single machine, where a full disk never answers, it gives up sooner. */
export const layer = (bucket: R2Bucket): Layer.Layer<BlobStore, never, Config> =>
  Layer.effect(
    BlobStore,
    Effect.map(Config, ({ isLocal }) => make(bucket, isLocal ? { stall: localPatience } : {}))
  )

/** The limits of the bucket. */
export const bounds = (): Bounds => ({
  "R2, blobs": {
    filledBy: "its owner's uploads",
    bound:
      "`BLOB_QUOTA` an account, 50 GB by default, and `BLOB_LIMIT` for each upload that is on its way: 1,000 a day from one address; what no record refers to goes after `BLOB_GRACE_HOURS`",
    bytes: 50_000_000_000,
    per: "account"
  },
  "R2, CARs of imports": {
    filledBy: "its owner",
    bound: "`IMPORT_LIMIT` each, 20 an hour, 60 a day; gone with the import, or swept",
    bytes: 60 * 256_000_000,
    per: "account"
  }
})
