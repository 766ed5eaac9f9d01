import * as Result from "effect/Result"
import type { Catalog } from "./Catalog.ts"
import { checkDocument, type LexiconDocument } from "./documents.ts"
import { isPlainObject } from "./objects.ts"
import { fullName } from "./schema.ts"

/** Thrown for an invalid lexicon document; the message names the document and the place in it. */
class InvalidLexicon extends Error {
  override readonly name = "InvalidLexicon"
}

/** Reads given documents; throws InvalidLexicon. */
export const readDocuments = (
  given: ReadonlyArray<{ readonly id: string }>
): ReadonlyArray<LexiconDocument> => {
  const read = given.map((json) => {
    const checked = checkDocument(json)
    if (Result.isSuccess(checked)) return checked.success
    const { path, message } = checked.failure
    const place = path === "" ? "" : ` at ${path}`
    throw new InvalidLexicon(`The lexicon ${String(json.id)} is not valid${place}: ${message}`)
  })
  for (const [at, { id }] of read.entries()) {
    if (id.toLowerCase().startsWith("com.atproto.")) {
      throw new InvalidLexicon(`The lexicon ${id} belongs to the protocol and cannot be replaced`)
    }
    if (read.findIndex((other) => other.id === id) !== at) {
      throw new InvalidLexicon(`The lexicon ${id} is given twice`)
    }
  }
  return read
}

/** Every reference in a schema, at any depth. */
const refsIn = (value: unknown): ReadonlyArray<string> => {
  if (Array.isArray(value)) return value.flatMap(refsIn)
  if (!isPlainObject(value)) return []
  const { type, ref, refs } = value
  if (type === "ref" && typeof ref === "string") return [ref]
  if (type === "union" && Array.isArray(refs)) return refs.filter((one) => typeof one === "string")
  return Object.values(value).flatMap(refsIn)
}

/** Checks that every reference in the documents resolves to a definition; throws InvalidLexicon. */
export const checkReferences = (
  catalog: Catalog,
  documents: ReadonlyArray<LexiconDocument>
): void => {
  for (const { id, defs } of documents) {
    const missing = refsIn(defs).find((ref) => catalog.definition(fullName(ref, id)) === undefined)
    if (missing !== undefined) {
      throw new InvalidLexicon(
        `The lexicon ${id} refers to ${missing}, which no document defines: add that document to lexicons`
      )
    }
  }
}
