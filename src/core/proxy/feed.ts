import { type JsonObject, at, listAt, objectAt, textAt } from "./json.ts"
import { type Local, type LocalPost, mediaOf, parentOf, rootOf, timeOf } from "./local.ts"
import { postView, type Viewing } from "./views.ts"

/** The time of a feed item; a pinned post stays above all others. */
const itemTime = (item: unknown): number => {
  switch (textAt(item, "reason", "$type")) {
    case "app.bsky.feed.defs#reasonPin":
      return Number.POSITIVE_INFINITY
    case "app.bsky.feed.defs#reasonRepost":
      return Date.parse(textAt(item, "reason", "indexedAt") ?? "")
    default:
      return timeOf(at(item, "post", "record"), textAt(item, "post", "indexedAt"))
  }
}

const postTime = ({ record, indexedAt }: LocalPost): number => timeOf(record, indexedAt)

/** The position of a post in a feed: before the first older item. */
const placeOf = (post: LocalPost, feed: ReadonlyArray<unknown>): number => {
  const time = postTime(post)
  const place = feed.findIndex((item) => itemTime(item) < time)
  return place < 0 ? feed.length : place
}

/**
 * The caller's posts that the first page of a feed lacks, newest first.
 *
 * Posts older than the page's last item belong to the next page, if there is one.
 */
export const missingInFeed = (
  answer: JsonObject,
  posts: ReadonlyArray<LocalPost>,
  params: URLSearchParams
): ReadonlyArray<LocalPost> => {
  if ((params.get("cursor") ?? "") !== "") return []
  const feed = at(answer, "feed")
  if (!Array.isArray(feed)) return []
  const shown = new Set(feed.map((item) => textAt(item, "post", "uri")))
  const isLastPage = textAt(answer, "cursor") === undefined || feed.length === 0
  const limit = Number(params.get("limit") ?? 50)
  return posts
    .filter((post) => !shown.has(post.uri))
    .filter((post) => isLastPage || placeOf(post, feed) < feed.length)
    .slice(0, limit >= 1 ? limit : 50)
}

/** Inserts the posts into the feed. */
export const insertInFeed = (
  answer: JsonObject,
  posts: ReadonlyArray<LocalPost>,
  viewing: Viewing
): JsonObject => {
  const feed = [...listAt(answer, "feed")]
  for (const post of posts.toSorted((a, b) => postTime(b) - postTime(a))) {
    feed.splice(placeOf(post, feed), 0, {
      post: postView(post, viewing),
      reply: replyRef(post, viewing)
    })
  }
  return { ...answer, feed }
}

/** What a reply answers, if it can be shown. */
const replyRef = (post: LocalPost, viewing: Viewing): JsonObject | undefined => {
  const root = seenPost(rootOf(post), viewing)
  const parent = seenPost(parentOf(post), viewing)
  if (root === undefined || parent === undefined) return undefined
  const answersReply = objectAt(parent, "record", "reply") !== undefined
  const grandparent = answersReply ? textAt(parent, "record", "reply", "parent", "uri") : undefined
  const grandparentAuthor = objectAt(seenPost(grandparent, viewing), "author")
  return { root, parent, grandparentAuthor }
}

const seenPost = (uri: string | undefined, viewing: Viewing): JsonObject | undefined => {
  if (uri === undefined) return undefined
  const own = viewing.local.posts.find((post) => post.uri === uri)
  const view = viewing.known.get(uri) ?? (own === undefined ? undefined : postView(own, viewing))
  return view && { ...view, $type: "app.bsky.feed.defs#postView" }
}

/** The posts that belong in the caller's own feed with one of its filters. */
export const inAuthorFeed = (
  { did, posts }: Local,
  filter: string | null
): ReadonlyArray<LocalPost> => {
  const isOwn = (uri: string | undefined) => uri?.startsWith(`at://${did}/`) === true
  switch (filter) {
    case "posts_no_replies":
      return posts.filter((post) => parentOf(post) === undefined)
    case "posts_and_author_threads":
      return posts.filter(
        (post) => parentOf(post) === undefined || (isOwn(rootOf(post)) && isOwn(parentOf(post)))
      )
    case "posts_with_media":
      return posts.filter((post) => imageEmbeds.has(textAt(mediaOf(post), "$type")))
    case "posts_with_video":
      return posts.filter((post) => textAt(mediaOf(post), "$type") === "app.bsky.embed.video")
    default:
      return posts
  }
}

const imageEmbeds: ReadonlySet<string | undefined> = new Set([
  "app.bsky.embed.images",
  "app.bsky.embed.gallery"
])
