import { createHash } from "node:crypto"
import { AwsClient } from "aws4fetch"
import * as Redacted from "effect/Redacted"
import type { S3Settings } from "../../services/host/Config.ts"
import type { ByteRange } from "../../services/blobs/BlobStore.ts"
import { Stalled, within } from "../host/stall.ts"
import type { MultipartUpload, PartBucket, UploadedPart } from "./partWriter.ts"

/** The bytes of an object, or of the requested range, and the size of the whole. */
export interface S3Body {
  readonly body: ReadableStream<Uint8Array>
  readonly size: number
}

/** A page of a listing. */
export interface S3Listing {
  readonly objects: ReadonlyArray<{ readonly key: string; readonly size: number }>
  readonly cursor?: string
}

/** A bucket of an S3-compatible store, or a folder in one. */
export interface S3Bucket extends PartBucket {
  /** Its address. */
  readonly name: string
  get(
    key: string,
    options?: { readonly range?: ByteRange | undefined; readonly signal?: AbortSignal }
  ): Promise<S3Body | undefined>
  head(key: string, signal?: AbortSignal): Promise<number | undefined>
  list(prefix: string, cursor?: string): Promise<S3Listing>
  delete(key: string): Promise<void>
}

/** How long the store may go without progress, in milliseconds. */
const usualPatience = 60_000

/** How often a request is sent when the connection breaks or the store is overloaded. */
const attempts = 3

/** The wait before the second attempt, in milliseconds; it doubles. */
const firstPause = 100

/** Bytes hashed between two pauses for other requests of the isolate: some 3 ms of work. */
const stride = 1024 * 1024

/** The SHA-256 of bytes, as hex. */
const sha256Of = async (bytes: Uint8Array = new Uint8Array(0)): Promise<string> => {
  const hash = createHash("sha256")
  for (let at = 0; at < bytes.byteLength; at += stride) {
    if (at > 0) await new Promise((resume) => setTimeout(resume, 0))
    hash.update(bytes.subarray(at, at + stride))
  }
  return hash.digest("hex")
}

interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
  readonly accept?: ReadonlyArray<number>
  readonly signal?: AbortSignal | undefined
}

/** The bucket at `https://host/bucket` or `https://host/bucket/prefix`. */
export const make = (
  { url, keyId, secret, region }: S3Settings,
  patience = usualPatience
): S3Bucket => {
  const base = url.replace(/\/+$/, "")
  const { origin, pathname } = new URL(base)
  const [, bucket = "", ...below] = pathname.split("/")
  const folder = below.length === 0 ? "" : `${below.join("/")}/`
  const client = new AwsClient({
    accessKeyId: keyId,
    secretAccessKey: Redacted.value(secret),
    service: "s3",
    region,
    retries: 0
  })

  /** Tries again while the store is overloaded or can't be reached, until its time has ended. */
  const persist = async (target: string, init: RequestInit, signal: AbortSignal) => {
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt === attempts
      const response = await client.fetch(target, { ...init, signal }).catch((cause: unknown) => {
        if (isLast || signal.aborted) throw cause
        return undefined
      })
      const isUsable = response !== undefined && response.status < 500 && response.status !== 429
      if (response !== undefined && (isUsable || isLast)) return response
      await response?.body?.cancel()
      await new Promise((resume) => setTimeout(resume, firstPause * 2 ** (attempt - 1)))
      signal.throwIfAborted()
    }
  }

  const send = async (
    method: string,
    target: string,
    { headers = {}, body, accept = [200, 204], signal }: Sent = {}
  ): Promise<Response> => {
    const digest = await sha256Of(body)
    const ended = new AbortController()
    const late = setTimeout(
      () => ended.abort(new Stalled(`no response for ${patience} ms`)),
      patience
    )
    const leave = () => ended.abort(signal?.reason)
    signal?.addEventListener("abort", leave)
    try {
      const response = await persist(
        target,
        {
          method,
          headers: { ...headers, "x-amz-content-sha256": digest },
          // SAFETY: no caller's bytes are in shared memory.
          ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> })
        },
        ended.signal
      )
      if (accept.includes(response.status)) return response
      const text = await within(patience, response.text())
      const said = /<Code>([\w.]{1,60})<\/Code>/.exec(text)?.[1] ?? ""
      throw new Error(`the store answered ${response.status} ${said}`.trim())
    } finally {
      clearTimeout(late)
      signal?.removeEventListener("abort", leave)
    }
  }

  const textOf = async (response: Response): Promise<string> => within(patience, response.text())

  const urlOf = (key: string): string =>
    `${base}/${key.split("/").map(encodeURIComponent).join("/")}`

  const uploadOf = (key: string, id: string): MultipartUpload => {
    const upload = `${urlOf(key)}?uploadId=${encodeURIComponent(id)}`
    return {
      uploadPart: async (partNumber, body) => {
        const { headers } = await send("PUT", `${upload}&partNumber=${partNumber}`, { body })
        return { partNumber, etag: headers.get("etag") ?? "" }
      },
      complete: async (parts) => {
        const body = new TextEncoder().encode(
          `<CompleteMultipartUpload>${parts.map(partXml).join("")}</CompleteMultipartUpload>`
        )
        // The store responds with 200 before it knows the outcome.
        const ended = await textOf(await send("POST", upload, { body }))
        if (ended.includes("<Error>")) throw new Error("the store could not put the parts together")
      },
      abort: async () => {
        await send("DELETE", upload, { accept: [200, 204, 404] })
      }
    }
  }

  return {
    name: base,
    put: async (key, body) => {
      await send("PUT", urlOf(key), { body })
    },
    createMultipartUpload: async (key) => {
      const begun = await textOf(await send("POST", `${urlOf(key)}?uploads`))
      const id = elementOf(begun, "UploadId")
      if (id === undefined) throw new Error("the store began no upload")
      return uploadOf(key, id)
    },
    get: async (key, { range, signal } = {}) => {
      const headers = range === undefined ? {} : { range: httpRange(range) }
      const accept = [range === undefined ? 200 : 206, 404]
      const response = await send("GET", urlOf(key), { headers, accept, signal })
      if (response.status === 404 || response.body === null) {
        await response.body?.cancel()
        return undefined
      }
      return { body: watched(response.body, patience), size: sizeOf(response) }
    },
    head: async (key, signal) => {
      const response = await send("HEAD", urlOf(key), { accept: [200, 404], signal })
      return response.status === 404 ? undefined : sizeOf(response)
    },
    list: async (prefix, cursor) => {
      const search = new URLSearchParams({ "list-type": "2", prefix: `${folder}${prefix}` })
      if (cursor !== undefined) search.set("continuation-token", cursor)
      const text = await textOf(await send("GET", `${origin}/${bucket}?${search}`))
      const objects = [...text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)].map(
        ([, one = ""]) => ({
          key: (elementOf(one, "Key") ?? "").slice(folder.length),
          size: Number(elementOf(one, "Size"))
        })
      )
      const next = elementOf(text, "NextContinuationToken")
      return next === undefined ? { objects } : { objects, cursor: next }
    },
    delete: async (key) => {
      await send("DELETE", urlOf(key), { accept: [200, 204, 404] })
    }
  }
}

const httpRange = ({ offset, length }: ByteRange): string =>
  `bytes=${offset}-${offset + length - 1}`

const partXml = ({ partNumber, etag }: UploadedPart): string =>
  `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`

/** The size of the whole object. */
const sizeOf = ({ headers }: Response): number => {
  const whole = /\/(\d+)$/.exec(headers.get("content-range") ?? "")?.[1]
  const size = Number(whole ?? headers.get("content-length") ?? Number.NaN)
  if (!Number.isSafeInteger(size)) throw new Error("the store didn't say how large the object is")
  return size
}

/** A body that fails when the store sends nothing for too long; a slow reader doesn't count. */
const watched = (body: ReadableStream<Uint8Array>, patience: number) => {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await within(patience, reader.read())
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (cause) {
          void reader.cancel(cause).catch(() => {})
          throw cause
        }
      },
      cancel: (reason) => reader.cancel(reason)
    },
    { highWaterMark: 0 }
  )
}

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'"
}

/** The text of an element in the store's XML. */
const elementOf = (xml: string, element: string): string | undefined =>
  new RegExp(`<${element}>([^<]*)</${element}>`)
    .exec(xml)?.[1]
    ?.replaceAll(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole)
