import { type JsonObject, objectAt, textAt } from "./json.ts"

/** A post of the caller's own. */
export interface LocalPost {
  readonly uri: string
  readonly cid: string
  /** When it was written. */
  readonly indexedAt: string
  readonly record: JsonObject
}

/** What the caller has written that the app view does not know yet. */
export interface Local {
  readonly did: string
  readonly handle: string
  /** Newest first. */
  readonly posts: ReadonlyArray<LocalPost>
  /** The profile record as it is now. */
  readonly profile: JsonObject | undefined
  readonly profileIsNew: boolean
  /** Where a blob of the caller's can be had at once. */
  readonly blobUrl: (cid: string) => string
}

/** The post that a post answers. */
export const parentOf = ({ record }: LocalPost): string | undefined =>
  textAt(record, "reply", "parent", "uri")

/** The post that a thread began with, in a reply. */
export const rootOf = ({ record }: LocalPost): string | undefined =>
  textAt(record, "reply", "root", "uri")

/** Whose repo a URI names, by DID or handle. */
export const authorityOf = (uri: string): string => uri.split("/")[2] ?? ""

/** The CID in a record's reference to a blob, in its present or its old form. */
export const blobCid = (blob: unknown): string | undefined =>
  textAt(blob, "ref", "$link") ?? textAt(blob, "cid")

/** The address of a blob that a record refers to. */
export const blobUrlOf = (local: Local, blob: unknown): string | undefined => {
  const cid = blobCid(blob)
  return cid === undefined ? undefined : local.blobUrl(cid)
}

/**
 * When a post or a feed's item happened, for its place in a feed: an app view sorts by the earlier
 * of the time that the author names and the time that it saw the post.
 */
export const timeOf = (record: unknown, indexedAt: string | undefined): number => {
  const seen = Date.parse(indexedAt ?? "")
  const said = Date.parse(textAt(record, "createdAt") ?? "")
  return Number.isNaN(said) ? seen : Math.min(said, Number.isNaN(seen) ? said : seen)
}

/** The embed of a post, and for a quote with media the media beside it. */
export const mediaOf = ({ record }: LocalPost): JsonObject | undefined => {
  const embed = objectAt(record, "embed")
  return textAt(embed, "$type") === "app.bsky.embed.recordWithMedia"
    ? objectAt(embed, "media")
    : embed
}

/** The record that a post quotes. */
export const quoteOf = ({ record }: LocalPost): string | undefined =>
  textAt(record, "embed", "record", "uri") ?? textAt(record, "embed", "record", "record", "uri")
