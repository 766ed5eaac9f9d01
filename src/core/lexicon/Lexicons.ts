import { Catalog } from "./Catalog.ts"
import documents from "./documents.json" with { type: "json" }
import type { Definitions } from "./schema.ts"
import type { LexiconDocument } from "./documents.ts"

export type { BlobUse, Kind, RecordStatus } from "./Catalog.ts"
export type { Checked, Issue } from "./issue.ts"
export type { Params } from "./params.ts"
export { blobCids, blobTypeIn, findBlobs, findLegacyBlobs, isLegacyBlob } from "./blobs.ts"

// SAFETY: the file is written by `npm run lexicons`, and a test checks every document in it.
const networks = documents as unknown as Readonly<Record<string, Definitions>>

/** The network's lexicons in this version of the server. */
export const builtIn = new Catalog(networks)

/** The network's lexicons with the given documents, which replace those of the same NSID. */
export const builtInWith = (given: ReadonlyArray<LexiconDocument>): Catalog =>
  new Catalog({ ...networks, ...Object.fromEntries(given.map(({ id, defs }) => [id, defs])) })
