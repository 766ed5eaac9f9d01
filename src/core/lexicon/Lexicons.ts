import { Catalog } from "./Catalog.ts"
import documents from "./documents.json" with { type: "json" }
import { type Checked, checkedAs } from "./issue.ts"
import type { Definitions } from "./schema.ts"
import type { LexiconDocument } from "./documents.ts"

export type { BlobUse, Kind, RecordStatus } from "./Catalog.ts"
export type { Checked, Issue } from "./issue.ts"
export type { Params } from "./params.ts"
export { blobCids, blobTypeIn, findBlobs, findLegacyBlobs, isLegacyBlob } from "./blobs.ts"

/** A compiled check that returns the checked value. */
export interface Validator<T = unknown> {
  (value: unknown): Checked<T>
}

// SAFETY: the file is written by `npm run lexicons`, and a test checks every document in it.
const networks = documents as unknown as Readonly<Record<string, Definitions>>

/** The network's lexicons in this version of the server. */
export const builtIn = new Catalog(networks)

/** The network's lexicons with the given documents, which replace those of the same NSID. */
export const builtInWith = (given: ReadonlyArray<LexiconDocument>): Catalog =>
  new Catalog({ ...networks, ...Object.fromEntries(given.map(({ id, defs }) => [id, defs])) })

/** The kind of an NSID: a method's kind, a record type, or undefined if unknown. */
export const kindOf = builtIn.kindOf.bind(builtIn)

/** Parses query parameters by the method's lexicon, with defaults; ignores unknown ones. */
export const parseParams = builtIn.parseParams.bind(builtIn)

/** Checks a method's input body and applies the defaults of its own properties. */
export const checkInput = builtIn.checkInput.bind(builtIn) as Catalog["checkInput"]

/** Checks a method's output body. */
export const checkOutput = builtIn.checkOutput.bind(builtIn) as Catalog["checkOutput"]

/**
 * Checks the body of a subscription's message by its type in the frame's header, such as `#commit`.
 */
export const checkMessage = builtIn.checkMessage.bind(builtIn) as Catalog["checkMessage"]

/** The content type of a method's input, such as `application/json` or `*` `/*`, if it has one. */
export const inputEncoding = builtIn.inputEncoding.bind(builtIn)

/** The content type of a method's output, if it has one. */
export const outputEncoding = builtIn.outputEncoding.bind(builtIn)

/** The names of a method's declared errors. */
export const errorsOf = builtIn.errorsOf.bind(builtIn)

/** Checks a record against its collection's lexicon; its `$type` must be the collection. */
export const checkRecord = builtIn.checkRecord.bind(builtIn)

/**
 * The record key type of a collection: `tid`, `nsid`, `any` or `literal:<key>`; undefined if
 * unknown.
 */
export const recordKeyType = builtIn.recordKeyType.bind(builtIn)

/** Every blob in a record, at any depth, with its lexicon's constraints if there are any. */
export const blobRefs = builtIn.blobRefs.bind(builtIn)

/** The validator of a definition by its full name, such as `app.bsky.actor.defs#preferences`. */
export const validator = <T = unknown>(name: string): Validator<T> | undefined => {
  const check = builtIn.check(name)
  if (check === undefined) return undefined
  return (value) => checkedAs(value as T, check(value))
}
