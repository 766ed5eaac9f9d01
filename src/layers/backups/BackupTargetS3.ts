import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BlobMeter } from "../../core/blobs/meter.ts"
import {
  BackupSourceFailed,
  BackupTarget,
  BackupTargetFailed,
  type BackupTargetShape
} from "../../services/backups/BackupTarget.ts"
import type { S3Settings } from "../../services/host/Config.ts"
import * as s3Bucket from "../blobs/s3Bucket.ts"

type Bytes = Uint8Array<ArrayBuffer>

/** The size of a part: S3 accepts parts from 5 MiB, and one is in memory at a time. */
const partSize = 8 * 1024 * 1024

/** Keys deleted in one request. */
const deletions = 8

/** The source failed, not the store. */
class SourceBroken extends Error {}

/** A store that speaks the S3 protocol, at `https://host/bucket` or `https://host/bucket/prefix`. */
export const make = (settings: S3Settings): BackupTargetShape => {
  const bucket = s3Bucket.make(settings)

  const putLarge = async (key: string, parts: AsyncIterable<Bytes>): Promise<void> => {
    const upload = await bucket.createMultipartUpload(key)
    const done: Array<Awaited<ReturnType<typeof upload.uploadPart>>> = []
    try {
      for await (const part of parts) done.push(await upload.uploadPart(done.length + 1, part))
      await upload.complete(done)
    } catch (cause) {
      await upload.abort().catch(() => {})
      throw cause
    }
  }

  const put = async (key: string, body: ReadableStream<Uint8Array>, size: number) => {
    const meter = new BlobMeter()
    const parts = partsOf(body, size, meter)
    if (size > partSize) await putLarge(key, parts)
    else for await (const part of parts) await bucket.put(key, part)
    return meter.finish().cid
  }

  const failed = (operation: string, key: string) => (cause: unknown) =>
    new BackupTargetFailed({ operation, key, cause })

  return {
    name: bucket.name,
    put: (key, body, size) =>
      Effect.tryPromise({
        try: () => put(key, body, size),
        catch: (cause) =>
          cause instanceof SourceBroken
            ? new BackupSourceFailed({ key, cause })
            : failed("put", key)(cause)
      }),
    get: (key) =>
      Effect.tryPromise({
        try: (signal) => bucket.get(key, { signal }),
        catch: failed("get", key)
      }),
    list: (prefix, cursor) =>
      Effect.tryPromise({
        try: () => bucket.list(prefix, cursor),
        catch: failed("list", prefix)
      }),
    delete: (keys) =>
      Effect.forEach(
        keys,
        (key) => Effect.tryPromise({ try: () => bucket.delete(key), catch: failed("delete", key) }),
        { concurrency: deletions, discard: true }
      )
  }
}

/** Yields the body in parts of one size; throws SourceBroken if its length is wrong. */
async function* partsOf(
  body: ReadableStream<Uint8Array>,
  size: number,
  meter: BlobMeter
): AsyncGenerator<Bytes> {
  const reader = body.getReader()
  let part = new Uint8Array(Math.min(size, partSize))
  let filled = 0
  let left = size
  try {
    while (true) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new SourceBroken(String(cause))
      })
      if (done) break
      meter.update(value)
      left -= value.byteLength
      if (left < 0) throw new SourceBroken(`more than ${size} bytes`)
      for (let at = 0; at < value.byteLength;) {
        const piece = value.subarray(at, at + part.byteLength - filled)
        part.set(piece, filled)
        filled += piece.byteLength
        at += piece.byteLength
        if (filled < part.byteLength) continue
        if (at === value.byteLength && left === 0) break
        yield part
        part = new Uint8Array(Math.min(left + value.byteLength - at, partSize))
        filled = 0
      }
    }
    if (left > 0) throw new SourceBroken(`${left} bytes less than ${size}`)
    if (filled > 0) yield part
  } finally {
    await reader.cancel().catch(() => {})
  }
}

export const layer = (settings: S3Settings): Layer.Layer<never> =>
  Layer.succeed(BackupTarget, make(settings))
