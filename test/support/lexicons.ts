import { schemas } from "@atproto/api"
import { Catalog } from "../../src/core/lexicon/Catalog.ts"
import type { Definitions } from "../../src/core/lexicon/schema.ts"

// Code generated from lexicons has the older form of references.
const documents: typeof schemas = JSON.parse(JSON.stringify(schemas).replaceAll('"lex:', '"'))

/** The network's lexicons with the outputs of methods, which the server's own leave out. */
export const official = new Catalog(
  // SAFETY: these are the network's own documents.
  Object.fromEntries(documents.map(({ id, defs }) => [id, defs as unknown as Definitions]))
)
