import * as Result from "effect/Result"
import type { BlobUse, Catalog } from "../../../core/lexicon/Catalog.ts"
import { findLegacyBlobs } from "../../../core/lexicon/blobs.ts"
import { isNsid, isRecordKey, isTid } from "../../../core/lexicon/syntax.ts"
import { encode, InvalidCbor } from "../../../core/repo/cbor.ts"
import { type Cid, cidForCbor } from "../../../core/repo/cid.ts"
import { maxOps, maxRecordBytes } from "../../../core/repo/limits.ts"
import { InvalidWrite, type RecordData, type Write } from "../Repo.ts"

/** A record that passed every check that doesn't need the repo. */
export interface PreparedRecord {
  readonly record: RecordData
  readonly cid: Cid
  readonly value: Uint8Array
  readonly blobs: ReadonlyArray<BlobUse>
  readonly status: "valid" | "unknown" | undefined
}

/** A write whose record, if any, is checked and encoded. */
export interface PreparedWrite {
  readonly write: Write
  readonly rkey: string
  readonly path: string
  readonly content: PreparedRecord | undefined
}

/** Checks and encodes the writes of a request; changes nothing. */
export const prepareWrites = (
  writes: ReadonlyArray<Write>,
  {
    lexicons,
    validate,
    nextRkey
  }: {
    readonly lexicons: Catalog
    readonly validate: boolean | undefined
    readonly nextRkey: () => string
  }
): Result.Result<ReadonlyArray<PreparedWrite>, InvalidWrite> => {
  if (writes.length > maxOps) return refuse(`Too many writes. Max: ${maxOps}`)
  const prepared: Array<PreparedWrite> = []
  for (const write of writes) {
    const one = prepare(lexicons, write, validate, nextRkey)
    if (Result.isFailure(one)) return Result.fail(one.failure)
    prepared.push(one.success)
  }
  return Result.succeed(prepared)
}

const refuse = (message: string) => Result.fail(new InvalidWrite({ message }))

const prepare = (
  lexicons: Catalog,
  write: Write,
  validate: boolean | undefined,
  nextRkey: () => string
): Result.Result<PreparedWrite, InvalidWrite> => {
  const { collection } = write
  if (!isNsid(collection)) return refuse(`Invalid collection: ${collection}`)
  const rkey = write.rkey ?? newRkey(lexicons, collection, nextRkey)
  if (!isRecordKey(rkey)) return refuse(`Invalid record key: ${rkey}`)
  const path = `${collection}/${rkey}`
  if (write.action === "delete") {
    return Result.succeed({ write, rkey, path, content: undefined })
  }
  if (validate !== false) {
    const problem = keyProblem(lexicons, collection, rkey)
    if (problem !== undefined) return refuse(problem)
  }
  return Result.map(
    prepareRecord(lexicons, collection, write.record, validate),
    (content): PreparedWrite => ({ write, rkey, path, content })
  )
}

/** The key for a record without one: the schema's literal, or a new TID. */
const newRkey = (lexicons: Catalog, collection: string, nextRkey: () => string): string => {
  const type = lexicons.recordKeyType(collection)
  return type?.startsWith("literal:") ? type.slice("literal:".length) : nextRkey()
}

const keyProblem = (lexicons: Catalog, collection: string, rkey: string): string | undefined => {
  const type = lexicons.recordKeyType(collection)
  if (type === undefined || type === "any") return undefined
  const fits =
    type === "tid"
      ? isTid(rkey)
      : type === "nsid"
        ? isNsid(rkey)
        : rkey === type.slice("literal:".length)
  return fits ? undefined : `Invalid record key for ${collection}: ${rkey} (expected ${type})`
}

const tryEncode = (record: RecordData): Result.Result<Uint8Array, InvalidCbor> =>
  Result.try({
    try: () => encode(record),
    catch: (cause) => {
      if (cause instanceof InvalidCbor) return cause
      throw cause
    }
  })

const prepareRecord = (
  lexicons: Catalog,
  collection: string,
  given: RecordData,
  validate: boolean | undefined
): Result.Result<PreparedRecord, InvalidWrite> => {
  const type = given["$type"]
  if (type !== undefined && type !== collection) {
    return refuse(`Invalid $type: expected ${collection}, got ${String(type)}`)
  }
  const record = type === undefined ? { ...given, $type: collection } : given
  let status: PreparedRecord["status"]
  if (validate !== false) {
    const checked = lexicons.checkRecord(collection, record)
    if (Result.isFailure(checked)) {
      const { path, message } = checked.failure
      return refuse(`Invalid ${collection} record: ${path === "" ? "" : `${path}: `}${message}`)
    }
    status = checked.success
    if (status === "unknown" && validate === true) {
      return refuse(`Unknown lexicon type: ${collection}`)
    }
  }
  const legacy = findLegacyBlobs(record)
  if (legacy.length > 0) return refuse(`Legacy blobs are not allowed (at ${legacy[0]})`)
  const encoded = tryEncode(record)
  if (Result.isFailure(encoded)) return refuse(`Invalid record: ${encoded.failure.message}`)
  const value = encoded.success
  if (value.byteLength > maxRecordBytes) {
    return refuse(`Record too large: ${value.byteLength} bytes (max ${maxRecordBytes})`)
  }
  return Result.succeed({
    record,
    value,
    cid: cidForCbor(value),
    blobs: lexicons.blobRefs(collection, record),
    status
  })
}
