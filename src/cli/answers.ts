/**
 * Schemas for texts in servers' responses: a known format, or words that are only shown. A bare
 * string is neither.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Syntax from "../core/lexicon/syntax.ts"
import { isDidKey } from "../core/identity/didKey.ts"
import { printable } from "./printable.ts"

const format = (test: (text: string) => boolean, expected: string) =>
  Schema.String.check(Schema.makeFilter(test, { expected }))

/** A DID. */
export const Did = format(Syntax.isDid, "a DID")

/** A handle. */
export const Handle = format(Syntax.isHandle, "a handle")

/** A TID, such as a repo's rev. */
export const Tid = format(Syntax.isTid, "a TID")

/** A public key as a did:key of K-256 or P-256. */
export const DidKey = format(isDidKey, "a did:key")

/** A domain under which a server gives out handles, with the dot before it. */
export const HandleDomain = format(
  (text) => text.startsWith(".") && Syntax.isHandle(`a${text}`),
  "a domain that begins with a dot"
)

/** The name of an error or a variable, without characters that a shell or terminal interprets. */
export const Name = format((text) => /^[A-Za-z][\w.-]{0,99}$/.test(text), "a name")

/** A token or code, sent back unchanged. */
export const Opaque = format((text) => /^[\x21-\x7E]+$/.test(text), "visible ASCII")

/** A part of a DID document: visible characters, unchanged. */
export const Visible = Opaque

/** An origin. */
export const Origin = format((text) => URL.parse(text)?.origin === text, "an origin")

/** The start of the next page, sent back unchanged. */
export const Cursor = Schema.String

/** Any other text for people: control characters become escapes. */
export const Words = Schema.String.pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({ decode: printable, encode: (text) => text })
  )
)

/** A text that is compared, hashed or printed with `print`, which escapes control characters. */
export const Verbatim = Schema.String

/** The text of a CIDv1 of a blob or record, safe as a file name. */
export const CidText = format(
  (text) => /^baf[ky]rei[a-z2-7]{52}$/.test(text),
  "the CID of a blob or a record"
).pipe(Schema.brand("CidText"))

/** The text of a CIDv1 of a blob or record, safe as a file name. */
export type CidText = typeof CidText.Type

/** Whether a text is such a CID. */
export const isCidText = Schema.is(CidText)
