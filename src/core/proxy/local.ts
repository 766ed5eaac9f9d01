import { type JsonObject, objectAt, textAt } from "./json.ts"

/** One of the caller's posts. */
export interface LocalPost {
  readonly uri: string
  readonly cid: string
  /** When it was written. */
  readonly indexedAt: string
  readonly record: JsonObject
}

/** The caller's writes that the AppView doesn't know yet. */
export interface Local {
  readonly did: string
  readonly handle: string
  /** Newest first. */
  readonly posts: ReadonlyArray<LocalPost>
  /** The current profile record. */
  readonly profile: JsonObject | undefined
  readonly profileIsNew: boolean
  /** The URL at which a blob of the caller's is available now. */
  readonly blobUrl: (cid: string) => string
}

/** The URI of the post that a reply answers. */
export const parentOf = ({ record }: LocalPost): string | undefined =>
  textAt(record, "reply", "parent", "uri")

/** The URI of a reply's root post. */
export const rootOf = ({ record }: LocalPost): string | undefined =>
  textAt(record, "reply", "root", "uri")

/** The DID or handle in a URI. */
export const authorityOf = (uri: string): string => uri.split("/")[2] ?? ""

/** The CID in a blob reference, in its current or its old form. */
export const blobCid = (blob: unknown): string | undefined =>
  textAt(blob, "ref", "$link") ?? textAt(blob, "cid")

/** The URL of a blob that a record refers to. */
export const blobUrlOf = (local: Local, blob: unknown): string | undefined => {
  const cid = blobCid(blob)
  return cid === undefined ? undefined : local.blobUrl(cid)
}

/**
 * The time of a post or a feed's item, for its position: AppViews sort by the earlier of the
 * author's time and the time they saw the post.
 */
export const timeOf = (record: unknown, indexedAt: string | undefined): number => {
  const seen = Date.parse(indexedAt ?? "")
  const said = Date.parse(textAt(record, "createdAt") ?? "")
  return Number.isNaN(said) ? seen : Math.min(said, Number.isNaN(seen) ? said : seen)
}

/** The embed of a post; for a quote with media, the media. */
export const mediaOf = ({ record }: LocalPost): JsonObject | undefined => {
  const embed = objectAt(record, "embed")
  return textAt(embed, "$type") === "app.bsky.embed.recordWithMedia"
    ? objectAt(embed, "media")
    : embed
}

/** The URI of the record that a post quotes. */
export const quoteOf = ({ record }: LocalPost): string | undefined =>
  textAt(record, "embed", "record", "uri") ?? textAt(record, "embed", "record", "record", "uri")
