import { createHash } from "node:crypto"
import { AwsClient } from "aws4fetch"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { BlobMeter } from "../../core/blobs/meter.ts"
import {
  BackupSourceFailed,
  BackupTarget,
  BackupTargetFailed,
  type BackupTargetShape
} from "../../services/backups/BackupTarget.ts"
import type { BackupSettings } from "../../services/host/Config.ts"

type Bytes = Uint8Array<ArrayBuffer>

/** The size of a part: S3 accepts parts from 5 MiB, and one is in memory at a time. */
const partSize = 8 * 1024 * 1024

/** The timeout of one request, in milliseconds. */
const patience = 60_000

/** Keys deleted in one request. */
const deletions = 8

/** The source failed, not the store. */
class SourceBroken extends Error {}

/** A store that speaks the S3 protocol, at `https://host/bucket` or `https://host/bucket/prefix`. */
export const make = ({ url, keyId, secret, region }: BackupSettings): BackupTargetShape => {
  const base = url.replace(/\/+$/, "")
  const { origin, pathname } = new URL(base)
  const [, bucket = "", ...below] = pathname.split("/")
  const folder = below.length === 0 ? "" : `${below.join("/")}/`
  const client = new AwsClient({
    accessKeyId: keyId,
    secretAccessKey: Redacted.value(secret),
    service: "s3",
    region,
    retries: 2
  })

  const send = async (
    method: string,
    target: string,
    { body, accept = [200, 204] }: { readonly body?: Bytes; readonly accept?: Array<number> } = {}
  ): Promise<Response> => {
    const digest = createHash("sha256")
      .update(body ?? "")
      .digest("hex")
    const response = await client.fetch(target, {
      method,
      headers: { "x-amz-content-sha256": digest },
      signal: AbortSignal.timeout(patience),
      ...(body === undefined ? {} : { body })
    })
    if (accept.includes(response.status)) return response
    const said = /<Code>([\w.]{1,60})<\/Code>/.exec(await response.text())?.[1] ?? ""
    throw new Error(`the store answered ${response.status} ${said}`.trim())
  }

  const urlOf = (key: string): string =>
    `${base}/${key.split("/").map(encodeURIComponent).join("/")}`

  const putLarge = async (key: string, parts: AsyncIterable<Bytes>): Promise<void> => {
    const begun = await (await send("POST", `${urlOf(key)}?uploads`)).text()
    const id = encodeURIComponent(textOf(begun, "UploadId") ?? "")
    const tags: Array<string> = []
    try {
      for await (const body of parts) {
        const at = `${urlOf(key)}?partNumber=${tags.length + 1}&uploadId=${id}`
        tags.push((await send("PUT", at, { body })).headers.get("etag") ?? "")
      }
      const list = tags.map(
        (tag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${tag}</ETag></Part>`
      )
      const body = new TextEncoder()
        .encode(`<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`)
        .slice()
      const ended = await (await send("POST", `${urlOf(key)}?uploadId=${id}`, { body })).text()
      // The store responds with 200 before it knows the outcome.
      if (ended.includes("<Error>")) throw new Error("the store could not put the parts together")
    } catch (cause) {
      await send("DELETE", `${urlOf(key)}?uploadId=${id}`).catch(() => {})
      throw cause
    }
  }

  const put = async (key: string, body: ReadableStream<Uint8Array>, size: number) => {
    const meter = new BlobMeter()
    const parts = partsOf(body, size, meter)
    if (size > partSize) await putLarge(key, parts)
    else for await (const part of parts) await send("PUT", urlOf(key), { body: part })
    return meter.finish().cid
  }

  const failed = (operation: string, key: string) => (cause: unknown) =>
    new BackupTargetFailed({ operation, key, cause })

  return {
    name: base,
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
        try: async () => {
          const response = await send("GET", urlOf(key), { accept: [200, 404] })
          if (response.status === 404 || response.body === null) {
            await response.body?.cancel()
            return undefined
          }
          return { body: response.body, size: Number(response.headers.get("content-length")) }
        },
        catch: failed("get", key)
      }),
    list: (prefix, cursor) =>
      Effect.tryPromise({
        try: async () => {
          const search = new URLSearchParams({ "list-type": "2", prefix: `${folder}${prefix}` })
          if (cursor !== undefined) search.set("continuation-token", cursor)
          const text = await (await send("GET", `${origin}/${bucket}?${search}`)).text()
          const objects = [...text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)].map(
            ([, one = ""]) => ({
              key: (textOf(one, "Key") ?? "").slice(folder.length),
              size: Number(textOf(one, "Size"))
            })
          )
          const next = textOf(text, "NextContinuationToken")
          return next === undefined ? { objects } : { objects, cursor: next }
        },
        catch: failed("list", prefix)
      }),
    delete: (keys) =>
      Effect.forEach(
        keys,
        (key) =>
          Effect.tryPromise({
            try: () => send("DELETE", urlOf(key), { accept: [200, 204, 404] }),
            catch: failed("delete", key)
          }),
        { concurrency: deletions, discard: true }
      )
  }
}

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'"
}

/** The text of an element in the store's XML. */
const textOf = (xml: string, element: string): string | undefined =>
  new RegExp(`<${element}>([^<]*)</${element}>`)
    .exec(xml)?.[1]
    ?.replaceAll(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole)

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

export const layer = (settings: BackupSettings): Layer.Layer<never> =>
  Layer.succeed(BackupTarget, make(settings))
