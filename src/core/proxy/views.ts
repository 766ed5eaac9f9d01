import { at, type JsonObject, isObject, isRecord, listAt, objectAt, textAt } from "./json.ts"
import { blobCid, blobUrlOf, type Local, type LocalPost } from "./local.ts"

/** What showing posts requires. */
export interface Viewing {
  readonly local: Local
  /** The caller as an author. */
  readonly author: JsonObject
  /** Views of posts and other quoted records, by URI. */
  readonly known: ReadonlyMap<string, JsonObject>
}

/** A quote of a quote is shown, but not the next one, as in AppViews. */
const maxQuotes = 2

/** The view of a new post of the caller's, without replies or likes. */
export const postView = (post: LocalPost, viewing: Viewing, quotes = maxQuotes): JsonObject => ({
  uri: post.uri,
  cid: post.cid,
  author: viewing.author,
  record: post.record,
  embed: embedView(objectAt(post.record, "embed"), viewing, quotes),
  bookmarkCount: 0,
  replyCount: 0,
  repostCount: 0,
  likeCount: 0,
  quoteCount: 0,
  indexedAt: post.indexedAt,
  viewer: {},
  labels: selfLabels(post, viewing.local)
})

/** The author's own labels on a post, as an AppView shows them. */
const selfLabels = ({ uri, cid, record }: LocalPost, { did }: Local): ReadonlyArray<JsonObject> => {
  const cts = textAt(record, "createdAt") ?? new Date(0).toISOString()
  return listAt(record, "labels", "values")
    .map((label) => textAt(label, "val"))
    .filter((val) => val !== undefined)
    .map((val) => ({ src: did, uri, cid, val, cts }))
}

/** The view of an embed; undefined if it is unknown. */
const embedView = (
  embed: JsonObject | undefined,
  viewing: Viewing,
  quotes: number
): JsonObject | undefined => {
  switch (textAt(embed, "$type")) {
    case "app.bsky.embed.record":
      return recordView(textAt(embed, "record", "uri"), viewing, quotes)
    case "app.bsky.embed.recordWithMedia": {
      const media = mediaView(objectAt(embed, "media"), viewing.local)
      const record = recordView(textAt(embed, "record", "record", "uri"), viewing, quotes)
      if (media === undefined) return record
      return record && { $type: "app.bsky.embed.recordWithMedia#view", record, media }
    }
    default:
      return mediaView(embed, viewing.local)
  }
}

const mediaView = (embed: JsonObject | undefined, local: Local): JsonObject | undefined => {
  switch (textAt(embed, "$type")) {
    case "app.bsky.embed.images":
      return { $type: "app.bsky.embed.images#view", images: imagesView(embed, local) }
    case "app.bsky.embed.gallery":
      return { $type: "app.bsky.embed.gallery#view", items: galleryView(embed, local) }
    case "app.bsky.embed.video":
      return videoView(embed, local)
    case "app.bsky.embed.external":
      return {
        $type: "app.bsky.embed.external#view",
        external: {
          uri: textAt(embed, "external", "uri") ?? "",
          title: textAt(embed, "external", "title") ?? "",
          description: textAt(embed, "external", "description") ?? "",
          thumb: blobUrlOf(local, at(embed, "external", "thumb"))
        }
      }
    default:
      return undefined
  }
}

const imagesView = (embed: unknown, local: Local): ReadonlyArray<JsonObject> =>
  listAt(embed, "images").flatMap((image) => {
    const url = blobUrlOf(local, at(image, "image"))
    if (url === undefined) return []
    const aspectRatio = at(image, "aspectRatio")
    return [{ thumb: url, fullsize: url, alt: textAt(image, "alt") ?? "", aspectRatio }]
  })

const galleryView = (embed: unknown, local: Local): ReadonlyArray<JsonObject> =>
  listAt(embed, "items").flatMap((item) => {
    const url = blobUrlOf(local, at(item, "image"))
    if (url === undefined) return []
    const $type = "app.bsky.embed.gallery#viewImage"
    const aspectRatio = at(item, "aspectRatio")
    return [{ $type, thumbnail: url, fullsize: url, alt: textAt(item, "alt") ?? "", aspectRatio }]
  })

/** Where Bluesky's video service serves the videos that it processed. */
const videoService = "https://video.bsky.app/watch"

const videoView = (embed: unknown, { did }: Local): JsonObject | undefined => {
  const cid = blobCid(at(embed, "video"))
  if (cid === undefined) return undefined
  const folder = `${videoService}/${encodeURIComponent(did)}/${cid}`
  return {
    $type: "app.bsky.embed.video#view",
    cid,
    playlist: `${folder}/playlist.m3u8`,
    thumbnail: `${folder}/thumbnail.jpg`,
    alt: textAt(embed, "alt"),
    aspectRatio: at(embed, "aspectRatio"),
    presentation: textAt(embed, "presentation")
  }
}

const recordView = (
  uri: string | undefined,
  viewing: Viewing,
  quotes: number
): JsonObject | undefined =>
  uri === undefined || quotes === 0
    ? undefined
    : { $type: "app.bsky.embed.record#view", record: quotedView(uri, viewing, quotes) }

const quotedView = (uri: string, viewing: Viewing, quotes: number): JsonObject => {
  const own = viewing.local.posts.find((post) => post.uri === uri)
  const view =
    viewing.known.get(uri) ?? (own === undefined ? undefined : postView(own, viewing, quotes - 1))
  if (view === undefined) {
    return { $type: "app.bsky.embed.record#viewNotFound", uri, notFound: true }
  }
  return isPostView(view) ? viewRecord(view) : view
}

/** The view of a post inside a quote. */
const viewRecord = (post: JsonObject): JsonObject => {
  const { uri, cid, author, record, embed, labels, indexedAt } = post
  const { replyCount, repostCount, likeCount, quoteCount } = post
  return {
    $type: "app.bsky.embed.record#viewRecord",
    uri,
    cid,
    author,
    value: record,
    labels,
    replyCount,
    repostCount,
    likeCount,
    quoteCount,
    embeds: embed === undefined ? [] : [embed],
    indexedAt
  }
}

/** Whether an object of a response is a post's view: no other view has an author and a record. */
const isPostView = (view: JsonObject): boolean =>
  textAt(view, "uri") !== undefined && isObject(at(view, "author")) && isObject(at(view, "record"))

/** The posts that a response shows, by URI. */
export const postsIn = (answer: unknown): Map<string, JsonObject> => {
  const posts = new Map<string, JsonObject>()
  const walk = (part: unknown): void => {
    if (Array.isArray(part)) return part.forEach(walk)
    if (!isObject(part) || isRecord(part)) return
    if (isPostView(part)) posts.set(part["uri"] as string, part)
    Object.values(part).forEach(walk)
  }
  walk(answer)
  return posts
}
