import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import { BlobStore, BlobStoreUnavailable } from "../../services/blobs/BlobStore.ts"
import { Stalled } from "../host/stall.ts"
import { asPutFailure, checkBounds, pump } from "./blobPump.ts"
import { PartBudget } from "./partBudget.ts"
import { PartWriter } from "./partWriter.ts"
import type { S3Bucket } from "./s3Bucket.ts"

type Store = BlobStore["Service"]

/** Bytes that the parts of all uploads may take in this process. */
const partBytes = 128 * 1024 * 1024

/** The timeout of a step is the bucket's own. */
const stall = 2 ** 31 - 1

/** Keys deleted at once. */
const deletions = 8

/** S3 takes keys of 1,024 bytes, a prefix included; a DID may be longer. */
const longestKey = 700

const placeOf = (key: string): string =>
  Buffer.byteLength(encodeURIComponent(key)) <= longestKey
    ? key
    : `blobs/${createHash("sha256").update(key).digest("hex")}`

const unavailable = (operation: string) => (cause: unknown) =>
  new BlobStoreUnavailable({ operation, cause })

/** A blob store in a bucket; a body larger than a part of 5 MiB goes up part by part. */
export const make = (bucket: S3Bucket, budget = new PartBudget(partBytes)): Store => {
  const put: Store["put"] = (key, body, options) =>
    Effect.tryPromise({
      try: async (signal) => {
        checkBounds(options)
        const parts = new PartWriter(bucket, placeOf(key), { budget, stall })
        let isEnding = false
        try {
          const blob = await pump(body, options, signal, (chunk) => parts.write(chunk))
          isEnding = true
          await parts.finish()
          return blob
        } catch (cause) {
          // The store may have kept the object although it reported a failure.
          const cleared = Promise.allSettled([
            parts.abort(),
            isEnding ? bucket.delete(placeOf(key)) : undefined
          ])
          // A stalled store isn't waited for a second time: the sweep deletes what it kept.
          if (!(cause instanceof Stalled)) await cleared
          throw cause
        } finally {
          parts.release()
        }
      },
      catch: asPutFailure
    })

  return BlobStore.of({
    put,
    get: (key, range) =>
      Effect.tryPromise({
        try: async (signal) => {
          const found = await bucket.get(placeOf(key), { range, signal })
          return found === undefined ? undefined : { ...found, range }
        },
        catch: unavailable("get")
      }),
    head: (key) =>
      Effect.tryPromise({
        try: (signal) => bucket.head(placeOf(key), signal),
        catch: unavailable("head")
      }),
    delete: (keys) =>
      Effect.forEach(
        keys,
        (key) =>
          Effect.tryPromise({
            try: () => bucket.delete(placeOf(key)),
            catch: unavailable("delete")
          }),
        { concurrency: deletions, discard: true }
      )
  })
}

/** A store that takes every new blob, beside one that still has older ones. */
export const over = (older: Store, newer: Store): Store =>
  BlobStore.of({
    put: newer.put,
    get: (key, range) =>
      Effect.flatMap(older.get(key, range), (found) =>
        found === undefined ? newer.get(key, range) : Effect.succeed(found)
      ),
    head: (key) =>
      Effect.flatMap(older.head(key), (size) =>
        size === undefined ? newer.head(key) : Effect.succeed(size)
      ),
    delete: (keys) => Effect.andThen(older.delete(keys), newer.delete(keys))
  })
