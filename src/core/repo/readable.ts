import { parseAtUri } from "../lexicon/syntax.ts"

/** A value of a record's JSON. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | JsonMap

/** An object of a record's JSON. */
export type JsonMap = { readonly [key: string]: Json }

/** A blob of a record, with its description. */
export interface ShownBlob {
  readonly cid: string
  readonly mimeType: string
  readonly alt: string | undefined
}

/** What a record refers to. */
export type LinkKind = "reply" | "quote" | "subject" | "list" | "link"

/** A record as its owner reads it. */
export interface Readable {
  /** Its texts, such as a name and a description. */
  readonly texts: ReadonlyArray<string>
  readonly blobs: ReadonlyArray<ShownBlob>
  /** AT URIs, DIDs or addresses on the web, as the record has them. */
  readonly links: ReadonlyArray<{ readonly kind: LinkKind; readonly to: string }>
}

const maxParts = 50

const isMap = (value: Json | undefined): value is JsonMap =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The value at a path; undefined if there is none. */
const at = (value: Json | undefined, ...path: ReadonlyArray<string>): Json | undefined =>
  path.reduce<Json | undefined>(
    (found, key) => (isMap(found) && Object.hasOwn(found, key) ? found[key] : undefined),
    value
  )

const textsAt = (map: JsonMap, ...keys: ReadonlyArray<string>): ReadonlyArray<string> =>
  keys.flatMap((key) => {
    const value = at(map, key)
    return typeof value === "string" && value.trim() !== "" ? [value] : []
  })

const itemsAt = (map: Json | undefined, ...path: ReadonlyArray<string>): ReadonlyArray<Json> => {
  const value = at(map, ...path)
  return Array.isArray(value) ? value.slice(0, maxParts) : []
}

/** A blob reference, in the current or the legacy form. */
const blob = (value: Json | undefined, alt?: Json): ReadonlyArray<ShownBlob> => {
  const cid = at(value, "ref", "$link") ?? at(value, "cid")
  const mimeType = at(value, "mimeType")
  return typeof cid === "string" && typeof mimeType === "string"
    ? [{ cid, mimeType, alt: typeof alt === "string" && alt !== "" ? alt : undefined }]
    : []
}

const link = (kind: LinkKind, to: Json | undefined): Readable["links"] =>
  typeof to === "string" ? [{ kind, to }] : []

const readPost = (record: JsonMap): Readable => {
  const embed = at(record, "embed")
  const media = at(embed, "media") ?? embed
  const facets = itemsAt(record, "facets").flatMap((facet) => itemsAt(facet, "features"))
  return {
    texts: [
      ...textsAt(record, "text"),
      ...["title", "description"].flatMap((key) => {
        const external = at(media, "external")
        return isMap(external) ? textsAt(external, key) : []
      })
    ],
    blobs: [
      ...itemsAt(media, "images").flatMap((image) => blob(at(image, "image"), at(image, "alt"))),
      ...blob(at(media, "video"), at(media, "alt")),
      ...blob(at(media, "external", "thumb"))
    ],
    links: [
      ...link("reply", at(record, "reply", "parent", "uri")),
      ...link("quote", at(embed, "record", "uri") ?? at(embed, "record", "record", "uri")),
      ...link("link", at(media, "external", "uri")),
      ...facets.flatMap((feature) => link("link", at(feature, "uri")))
    ].slice(0, maxParts)
  }
}

const none: Readable = { texts: [], blobs: [], links: [] }

/** Names, descriptions and pictures, as profiles, lists and feeds have them. */
const readNamed = (record: JsonMap): Readable => ({
  texts: textsAt(record, "displayName", "name", "description"),
  blobs: [...blob(at(record, "avatar")), ...blob(at(record, "banner"))],
  links: link("list", at(record, "list"))
})

const readSubject = (record: JsonMap): Readable => ({
  ...none,
  links: [
    ...link("subject", at(record, "subject", "uri") ?? at(record, "subject")),
    ...link("list", at(record, "list"))
  ]
})

const readers: Readonly<Record<string, (record: JsonMap) => Readable>> = {
  "app.bsky.feed.post": readPost,
  "app.bsky.feed.like": readSubject,
  "app.bsky.feed.repost": readSubject,
  "app.bsky.graph.follow": readSubject,
  "app.bsky.graph.block": readSubject,
  "app.bsky.graph.listblock": readSubject,
  "app.bsky.graph.listitem": readSubject,
  "app.bsky.actor.profile": readNamed,
  "app.bsky.feed.generator": readNamed,
  "app.bsky.graph.list": readNamed,
  "app.bsky.graph.starterpack": readNamed
}

/** A record of a well-known type in readable form; undefined for other types. */
export const readable = (collection: string, record: Json): Readable | undefined =>
  isMap(record) && Object.hasOwn(readers, collection) ? readers[collection]!(record) : undefined

/** A record in a line: its first text, or what it refers to; undefined if it has neither. */
export const excerptOf = (
  collection: string,
  record: Json,
  maxLength: number
): string | undefined => {
  const found = readable(collection, record)
  const said =
    found === undefined ? (isMap(record) ? textsAt(record, ...sayings) : []) : found.texts
  const text = (said[0] ?? found?.links[0]?.to)?.trim()
  if (text === undefined) return undefined
  const letters = Array.from(text.slice(0, 2 * maxLength))
  return letters.length > maxLength ? `${letters.slice(0, maxLength).join("")}…` : text
}

/** The fields of unknown types that usually tell what they are. */
const sayings = ["title", "name", "text", "description"]

const profile = "https://bsky.app/profile"

const bskyPaths: Readonly<Record<string, string>> = {
  "app.bsky.feed.post": "post",
  "app.bsky.feed.generator": "feed",
  "app.bsky.graph.list": "lists"
}

/** Where bsky.app shows a DID or a record; undefined if nowhere. */
export const seenAt = (uri: string): string | undefined => {
  const parts = parseAtUri(uri.startsWith("did:") ? `at://${uri}` : uri)
  if (parts === undefined) return undefined
  const { authority, collection, rkey } = parts
  const of = `${profile}/${encodeURIComponent(authority)}`
  if (collection === undefined || collection === "app.bsky.actor.profile") return of
  if (rkey === undefined) return undefined
  if (collection === "app.bsky.graph.starterpack") {
    return `https://bsky.app/starter-pack/${encodeURIComponent(authority)}/${encodeURIComponent(rkey)}`
  }
  const path = Object.hasOwn(bskyPaths, collection) ? bskyPaths[collection] : undefined
  return path === undefined ? undefined : `${of}/${path}/${encodeURIComponent(rkey)}`
}
