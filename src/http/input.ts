import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Catalog } from "../core/lexicon/Catalog.ts"
import { calledName } from "../core/identity/calledName.ts"
import { isPlainObject } from "../core/lexicon/objects.ts"
import { concatBytes } from "../core/bytes/bytes.ts"
import type { Data } from "../core/repo/cbor.ts"
import { type Cid, parseCid } from "../core/repo/cid.ts"
import { fromJson } from "../core/repo/json.ts"
import { InvalidRequest, PayloadTooLarge, UnsupportedEncoding } from "../services/failures.ts"
import { KnownLexicons } from "../services/host/KnownLexicons.ts"

const decoders = {
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync
} as const

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false })

/**
 * The levels around a record at most: the input of applyWrites, its list of writes, one of them.
 */
const levelsAround = 3

/** Whether a body is empty, or the empty object that some clients send to every procedure. */
const isEmptyBody = (body: Uint8Array): boolean =>
  body.byteLength <= 16 && /^\s*(\{\s*\})?\s*$/.test(new TextDecoder().decode(body))

/** Normalizes the fields with a typed name in a JSON body. */
const withNames = (data: Data, fields: ReadonlyArray<string>): Data => {
  if (!isPlainObject(data)) return data
  const names = fields.flatMap((field) => {
    const value = data[field]
    return typeof value === "string" ? [[field, calledName(value)] as const] : []
  })
  return { ...data, ...Object.fromEntries(names) }
}

/** What a method's lexicon says about a body, and where its settings differ. */
interface InputRules {
  readonly nsid: string
  readonly limit: number
  readonly typedNames: ReadonlyArray<string>
}

/** Reads and checks the input that a method's lexicon requires; undefined if it requires none. */
export const readInput = Effect.fnUntraced(function* (request: Request, rules: InputRules) {
  const lexicons = yield* KnownLexicons
  const body = yield* readBody(request, rules.limit)
  return yield* Effect.fromResult(checkBody(request, body, rules, lexicons))
})

/** Checks a whole body as the input that a method's lexicon requires. */
export const checkBody = (
  request: Request,
  body: Uint8Array,
  { nsid, typedNames }: Pick<InputRules, "nsid" | "typedNames">,
  lexicons: Catalog
): Result.Result<unknown, InvalidRequest> => {
  const encoding = lexicons.method(nsid)?.input?.encoding
  if (encoding === undefined) {
    return request.method === "POST" && !isEmptyBody(body)
      ? refuse("A request body was provided when none was expected")
      : Result.succeed(undefined)
  }
  if (body.byteLength === 0) return refuse(`Request body is missing, expected ${encoding}`)
  const type = mediaTypeOf(request.headers)
  if (type !== encoding) {
    return refuse(`Wrong request encoding (Content-Type): ${type ?? "none"}, expected ${encoding}`)
  }
  return Result.flatMap(parseJson(body), (data) =>
    Result.mapError(
      lexicons.checkInput(nsid, typedNames.length === 0 ? data : withNames(data, typedNames)),
      ({ path, message }) =>
        new InvalidRequest({ message: `${path === "" ? "Input" : `Input/${path}`}: ${message}` })
    )
  )
}

const refuse = (message: string) => Result.fail(new InvalidRequest({ message }))

const parseJson = (body: Uint8Array): Result.Result<Data, InvalidRequest> =>
  Result.try({
    try: () => fromJson(JSON.parse(utf8.decode(body)), levelsAround),
    catch: (cause) =>
      new InvalidRequest({
        message: `Malformed JSON body: ${cause instanceof Error ? cause.message : "unreadable"}`
      })
  })

/** Parses a CID parameter; the lexicon's format also allows other codecs and hashes. */
export const readCid = (text: string): Result.Result<Cid, InvalidRequest> =>
  Result.try({
    try: () => parseCid(text),
    catch: () => new InvalidRequest({ message: `Not a CID of a repo or blob: ${text}` })
  })

/** The media type of a body, without its parameters. */
export const mediaTypeOf = (headers: Headers): string | undefined =>
  headers.get("content-type")?.split(";")[0]?.trim().toLowerCase()

/** A body's compression; undefined if there is none. */
export const contentEncoding = (headers: Headers): string | undefined => {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase()
  return encoding === "" || encoding === "identity" ? undefined : encoding
}

/** Reads the whole body, decompressed; fails if it exceeds `limit` bytes. */
export const readBody = Effect.fnUntraced(function* (request: Request, limit: number) {
  if (request.body === null) return new Uint8Array(0)
  const declared = request.headers.get("content-length")
  if (declared !== null && Number(declared) > limit) return yield* new PayloadTooLarge({ limit })
  const bytes =
    declared === null
      ? yield* readBounded(request.body, limit)
      : new Uint8Array(yield* readWhole(request))
  return yield* decoded(bytes, request.headers, limit)
})

/** Reads a whole stream with these headers, decompressed; fails if it exceeds `limit` bytes. */
export const readStream = Effect.fnUntraced(function* (
  body: ReadableStream<Uint8Array> | null,
  headers: Headers,
  limit: number
) {
  const bytes = body === null ? new Uint8Array(0) : yield* readBounded(body, limit)
  return yield* decoded(bytes, headers, limit)
})

const decoded = Effect.fnUntraced(function* (bytes: Uint8Array, headers: Headers, limit: number) {
  const encoding = contentEncoding(headers)
  if (encoding === undefined) return bytes
  const decoder = Object.hasOwn(decoders, encoding)
    ? decoders[encoding as keyof typeof decoders]
    : undefined
  if (decoder === undefined) return yield* new UnsupportedEncoding({ encoding })
  return yield* Effect.try({
    try: () => new Uint8Array(decoder(bytes, { maxOutputLength: limit })),
    catch: (cause) =>
      cause instanceof RangeError
        ? new PayloadTooLarge({ limit })
        : new InvalidRequest({ message: `The body is not valid ${encoding}` })
  })
})

export const unreadable = () =>
  new InvalidRequest({ message: "The request body could not be read" })

/** Whether a body comes plain and with a length up to `limit`, so it can be read in one piece. */
export const isInOnePiece = ({ body, headers }: Request, limit: number): boolean => {
  const length = headers.get("content-length")
  return (
    body !== null &&
    length !== null &&
    Number(length) <= limit &&
    contentEncoding(headers) === undefined
  )
}

const readWhole = (request: Request) =>
  Effect.tryPromise({ try: () => request.arrayBuffer(), catch: unreadable })

const readBounded = Effect.fnUntraced(function* (body: ReadableStream<Uint8Array>, limit: number) {
  const reader = body.getReader()
  const chunks: Array<Uint8Array> = []
  let length = 0
  while (true) {
    const next = yield* Effect.tryPromise({ try: () => reader.read(), catch: unreadable })
    if (next.done) break
    length += next.value.byteLength
    if (length > limit) {
      // The rest stays unread: the caller decides about it.
      reader.releaseLock()
      return yield* new PayloadTooLarge({ limit })
    }
    chunks.push(next.value)
  }
  return concatBytes(chunks)
})
