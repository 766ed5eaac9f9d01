import { Catalog } from "./Catalog.ts"
import documents from "./documents.json" with { type: "json" }
import type { Result } from "./issue.ts"
import type { Definitions } from "./schema.ts"

export type { BlobUse, Kind, RecordResult } from "./Catalog.ts"
export type { Issue, Result } from "./issue.ts"
export type { Params } from "./params.ts"
export { blobCids, blobTypeIn, findBlobs, findLegacyBlobs, isLegacyBlob } from "./blobs.ts"

/** A compiled check that hands the checked value back. */
export interface Validator<T = unknown> {
  (value: unknown): Result<T>
}

// SAFETY: the file is written by `npm run lexicons`, and a test checks every document in it.
const catalog = new Catalog(documents as unknown as Readonly<Record<string, Definitions>>)

/** What an NSID names here: a kind of method, a record type, or nothing this server knows. */
export const kindOf = catalog.kindOf.bind(catalog)

/** Query parameters as the method's lexicon types them, defaults filled in; others are ignored. */
export const parseParams = catalog.parseParams.bind(catalog)

/** Checks a method's input body and fills in the defaults of its own properties. */
export const checkInput = catalog.checkInput.bind(catalog) as Catalog["checkInput"]

/** Checks a method's output body. */
export const checkOutput = catalog.checkOutput.bind(catalog) as Catalog["checkOutput"]

/** Checks the body of a subscription's message by the type in its header, such as `#commit`. */
export const checkMessage = catalog.checkMessage.bind(catalog) as Catalog["checkMessage"]

/** The content type of a method's input, such as `application/json` or `*` `/*`, if it has one. */
export const inputEncoding = catalog.inputEncoding.bind(catalog)

/** The content type of a method's output, if it has one. */
export const outputEncoding = catalog.outputEncoding.bind(catalog)

/** The error names a method's lexicon declares. */
export const errorsOf = catalog.errorsOf.bind(catalog)

/** Checks a record against its collection's lexicon; its `$type` must be the collection. */
export const checkRecord = catalog.checkRecord.bind(catalog)

/** The record-key type of a collection: `tid`, `nsid`, `any` or `literal:<key>`, where known. */
export const recordKeyType = catalog.recordKeyType.bind(catalog)

/** Every blob in a record, at any depth, with what its place demands where a lexicon says so. */
export const blobRefs = catalog.blobRefs.bind(catalog)

/** The validator of a definition by its full name, such as `app.bsky.actor.defs#preferences`. */
export const validator = <T = unknown>(name: string): Validator<T> | undefined => {
  const check = catalog.check(name)
  if (check === undefined) return undefined
  return (value) => {
    const issue = check(value)
    return issue === undefined ? { ok: true, value: value as T } : { ok: false, issue }
  }
}
