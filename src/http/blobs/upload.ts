import * as Effect from "effect/Effect"
import {
  blobHeaders,
  contentRange,
  etagOf,
  notModified,
  rangeCounts
} from "../../core/blobs/headers.ts"
import { declaredType, storedType, unknownType } from "../../core/blobs/mime.ts"
import { parseRange } from "../../core/blobs/range.ts"
import type { Credentials } from "../../services/sessions/Auth.ts"
import type { Caller } from "../../services/sessions/Authority.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { type BlobLocation, BlobNotFound } from "../../services/blobs/BlobIndex.ts"
import { BlobEmpty, BlobStore, type ByteRange } from "../../services/blobs/BlobStore.ts"
import { askObject, discard, type FoundBlob, publicBlob } from "../edge/edgeBlobs.ts"
import { sized } from "../../services/host/sizedStream.ts"
import { errorResponse, wireError } from "../errors.ts"
import { InvalidRequest, UnsupportedEncoding } from "../../services/failures.ts"
import { contentEncoding } from "../input.ts"
import { spanned } from "../../services/operators/spanned.ts"

/** The response of com.atproto.repo.uploadBlob. */
export interface UploadedBlob {
  readonly blob: {
    readonly $type: "blob"
    readonly ref: { readonly $link: string }
    readonly mimeType: string
    readonly size: number
  }
}

/**
 * com.atproto.repo.uploadBlob: the account's object authorizes, the bytes go straight to the store,
 * the object records them.
 *
 * The object has noted the key beforehand, so its sweep deletes bytes that were never recorded.
 */
export const uploadBlob = spanned("uploadBlob")(function* (
  did: string,
  request: Request,
  credentials: Credentials
) {
  const accounts = yield* Accounts
  const declared = declaredType(request.headers.get("content-type"))
  const { body, length } = yield* bodyOf(request)
  const { caller, ...place } = yield* accounts.call(did, "authorizeUpload", {
    ...credentials,
    mimeType: declared,
    ...(length === undefined ? {} : { size: length })
  })
  return yield* keep({ did, ...place, length, declared, caller }, body)
})

/** Stores a body under the key that the account's object has noted, and records it. */
const keep = Effect.fnUntraced(function* (
  {
    did,
    key,
    limit,
    length,
    declared,
    wanted,
    caller
  }: {
    readonly did: string
    readonly key: string
    readonly limit: number
    readonly length: number | undefined
    readonly declared: string
    /** The only CID that the body may have. */
    readonly wanted?: string
    readonly caller?: Caller
  },
  body: ReadableStream<Uint8Array>
) {
  const store = yield* BlobStore
  const known = length === undefined ? {} : { length }
  const { cid, size, sniffed } = yield* store.put(key, body, { limit, ...known })
  if (wanted !== undefined && cid !== wanted) {
    yield* Effect.ignore(store.delete([key]))
    return yield* new InvalidRequest({ message: `The bytes aren't those of blob ${wanted}` })
  }
  const blob: BlobLocation = { cid, key, mimeType: storedType(sniffed, declared), size }
  const from = caller === undefined ? {} : { caller }
  const details = sniffed === undefined ? from : { ...from, sniffed }
  const recorded = yield* (yield* Accounts).call(did, "recordUpload", { ...blob, ...details }).pipe(
    // A rejection is final. Any other failure may hide a success, so the key stays for the sweep to
    // decide.
    Effect.tapError((failure) =>
      wireError(failure).status < 500 ? Effect.ignore(store.delete([key])) : Effect.void
    )
  )
  const { mimeType } = recorded
  // The same content is already stored under another key. The sweep deletes what cannot be deleted
  // now.
  if (recorded.key !== key) yield* Effect.ignore(store.delete([key]))
  const uploaded: UploadedBlob = { blob: { $type: "blob", ref: { $link: cid }, mimeType, size } }
  return uploaded
})

/**
 * Stores a blob of an archive that a record waits for, for an owner on the account's page.
 *
 * The bytes and the record decide its type.
 */
export const importBlob = Effect.fn("importBlob")(function* (
  did: string,
  cid: string,
  request: Request
) {
  const { body, length } = yield* bodyOf(request)
  const size = length === undefined ? {} : { size: length }
  const place = yield* (yield* Accounts).call(did, "admitArchiveBlob", { cid, ...size })
  yield* keep({ did, ...place, length, declared: unknownType, wanted: cid }, body)
})

const decoders: Record<string, "gzip" | "deflate"> = { gzip: "gzip", deflate: "deflate" }

/** The decoded body, with its length if known beforehand. */
export const bodyOf = Effect.fnUntraced(function* (request: Request) {
  const { body, headers } = request
  const length = lengthOf(headers.get("content-length"))
  if (body === null || length === 0) return yield* new BlobEmpty()
  const encoding = contentEncoding(headers)
  if (encoding === undefined) return { body, length }
  const format = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined
  if (format === undefined) return yield* new UnsupportedEncoding({ encoding })
  return { body: body.pipeThrough(new DecompressionStream(format)), length: undefined }
})

const lengthOf = (header: string | null): number | undefined =>
  header !== null && /^\d{1,15}$/.test(header) ? Number(header) : undefined

/**
 * com.atproto.sync.getBlob: from the edge's cache, or located by the account's object and streamed
 * from the store.
 */
export const getBlob = spanned("getBlob")(function* (
  did: string,
  cid: string,
  request: Request,
  credentials?: Credentials
) {
  const isPublic = credentials?.authorization === undefined
  const found: FoundBlob = isPublic
    ? yield* publicBlob(did, cid, credentials)
    : { blob: yield* askObject(did, cid, credentials) }
  const { blob } = found
  const etag = etagOf(blob.cid)
  const headers = blobHeaders(blob, isPublic)
  if (notModified(request.headers.get("if-none-match"), etag)) {
    yield* discard(found)
    return new Response(null, { status: 304, headers })
  }
  const range = rangeCounts(request.headers.get("if-range"), etag)
    ? parseRange(request.headers.get("range"), blob.size)
    : parseRange(null, blob.size)
  switch (range.kind) {
    case "unsatisfiable":
      yield* discard(found)
      return outside(blob.size)
    case "part":
      return yield* send(
        found,
        request,
        { ...headers, "content-range": contentRange(blob.size, range) },
        range
      )
    case "whole":
      return yield* send(found, request, headers)
  }
})

const outside = (size: number): Response =>
  errorResponse({
    status: 416,
    error: "InvalidRequest",
    message: `The blob has ${size} bytes`,
    headers: { "content-range": contentRange(size) }
  })

const send = Effect.fnUntraced(function* (
  blobAtHand: FoundBlob,
  request: Request,
  fixed: Record<string, string>,
  part?: ByteRange
) {
  const { blob, body } = blobAtHand
  const status = part === undefined ? 200 : 206
  const length = part?.length ?? blob.size
  const headers = { ...fixed, "content-length": String(length) }
  if (request.method === "HEAD") {
    yield* discard(blobAtHand)
    return new Response(null, { status, headers })
  }
  // The recorded length rather than that of the store or the edge's copy: a truncated blob must not
  // look complete.
  const answer = (bytes: ReadableStream<Uint8Array>) =>
    new Response(sized(bytes, length), { status, headers })
  if (body !== undefined && part === undefined) return answer(body)
  // A part comes from the store, which knows its length.
  yield* discard(blobAtHand)
  const store = yield* BlobStore
  const range = part && { offset: part.offset, length: part.length }
  const found = yield* store.get(blob.key, range)
  if (found === undefined) {
    yield* Effect.logError("a recorded blob is not in the store", { cid: blob.cid, key: blob.key })
    return yield* new BlobNotFound({ cid: blob.cid })
  }
  return answer(found.body)
})
