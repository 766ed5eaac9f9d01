import * as Syntax from "@atproto/syntax"
import { CID } from "multiformats/cid"

/** A DID: `did:<method>:<identifier>`, at most 2048 characters. */
export const isDid = (text: string): boolean => Syntax.isValidDid(text)

/** A handle: a domain name of two or more labels, in either case. */
export const isHandle = (text: string): boolean => Syntax.isValidHandle(text)

/** Lower-cases a handle for storage and comparison. */
export const normalizeHandle = (handle: string): string => handle.toLowerCase()

/** A DID or a handle. */
export const isAtIdentifier = (text: string): boolean =>
  text.startsWith("did:") ? isDid(text) : isHandle(text)

/** A namespaced identifier such as `app.bsky.feed.post`. */
export const isNsid = (text: string): boolean => Syntax.isValidNsid(text)

/** Whether an NSID is normalized: the domain before its last part is in lower case. */
export const isNormalNsid = (text: string): boolean => {
  const domain = text.slice(0, text.lastIndexOf("."))
  return isNsid(text) && domain === domain.toLowerCase()
}

/** A record key: 1 to 512 of `A-Za-z0-9._:~-`, but neither `.` nor `..`. */
export const isRecordKey = (text: string): boolean => Syntax.isValidRecordKey(text)

/** A timestamp identifier: 13 characters of sortable base32 with the top bit clear. */
export const isTid = (text: string): boolean => Syntax.isValidTid(text)

const usualDatetime =
  /^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,12})?Z$/

/**
 * A datetime that is valid in both RFC 3339 and ISO 8601, with a time zone, and exists in the
 * calendar.
 */
export const isDatetime = (text: string): boolean =>
  // The common form needs no calendar; the days 29 to 31 and offsets do.
  usualDatetime.test(text) || Syntax.isDatetimeString(text)

const usualLanguage = /^[a-z]{2,3}(-[A-Z]{2})?$/

/** A BCP 47 language tag with a lower-case primary subtag and no repeated subtags. */
export const isLanguage = (text: string): boolean =>
  // Bounded, because tags have no length limit and the search for repeated subtags isn't linear.
  usualLanguage.test(text) || (text.length <= 256 && Syntax.parseLanguageString(text) !== null)

// The package's own check rejects "." and "-" in schemes and has no length limit.
const uri = /^[a-zA-Z][a-zA-Z0-9+.-]{0,80}:[^\s\p{Cc}]+$/u

/** A URI with any scheme, without white space, at most 8 KiB. */
export const isUri = (text: string): boolean => text.length <= 8192 && uri.test(text)

/** Whether a text has the characters and length of a CID; never a CIDv0. */
export const isCidText = (text: string): boolean =>
  /^[a-zA-Z0-9+=]{8,128}$/.test(text) && !(text.length === 46 && text.startsWith("Qm"))

// The CIDs of this network: base32, version 1, DAG-CBOR or raw, SHA-256.
const usualCid = /^baf[ky]rei[a-h][a-z2-7]{50}[aeimquy4]$/

/** Whether a text is a decodable CID, as the `cid` format requires. */
export const isCid = (text: string): boolean => {
  if (usualCid.test(text)) return true
  if (!isCidText(text)) return false
  try {
    CID.parse(text)
    return true
  } catch {
    return false
  }
}

/** The parts of an AT URI. */
export interface AtUriParts {
  readonly authority: string
  readonly collection?: string
  readonly rkey?: string
}

const usualAtUri = /^at:\/\/([^/?#\s]+)(?:\/([^/?#\s]+)(?:\/([^/?#\s]+))?)?$/

/** Parses an AT URI; undefined if it is invalid; a fragment is allowed and dropped. */
export const parseAtUri = (text: string): AtUriParts | undefined => {
  if (text.length > 8192) return undefined
  const hash = text.indexOf("#")
  // Fragments are rare and have their own grammar, which the package implements.
  if (hash >= 0 && !Syntax.isAtUriString(text)) return undefined
  const match = usualAtUri.exec(hash >= 0 ? text.slice(0, hash) : text)
  if (match === null) return undefined
  const [, authority, collection, rkey] = match
  if (authority === undefined || !isAtIdentifier(authority)) return undefined
  if (collection === undefined) return { authority }
  if (!isNsid(collection)) return undefined
  if (rkey === undefined) return { authority, collection }
  return isRecordKey(rkey) ? { authority, collection, rkey } : undefined
}

/** An AT URI: `at://authority[/collection[/rkey]]`. */
export const isAtUri = (text: string): boolean => parseAtUri(text) !== undefined

/** The checks for the string formats of the lexicon language. */
export const formats: Readonly<Record<string, (text: string) => boolean>> = {
  "at-identifier": isAtIdentifier,
  "at-uri": isAtUri,
  cid: isCid,
  datetime: isDatetime,
  did: isDid,
  handle: isHandle,
  language: isLanguage,
  nsid: isNsid,
  "record-key": isRecordKey,
  tid: isTid,
  uri: isUri
}
