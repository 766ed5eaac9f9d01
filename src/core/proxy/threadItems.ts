import { at, type JsonObject, isObject, objectAt, textAt } from "./json.ts"
import { type LocalPost, parentOf } from "./local.ts"
import { postView, type Viewing } from "./views.ts"

const postType = "app.bsky.unspecced.defs#threadItemPost"

/** How to list a thread's items. */
export interface ListWish {
  /** Levels of replies below the anchor. */
  readonly below: number
  /** The most replies to each post except the anchor. */
  readonly branchingFactor: number
  readonly sort: string
}

/** What all items of a thread share. */
export interface Listing extends ListWish {
  readonly viewing: Viewing
  /** The author of the thread's root post. */
  readonly op: string
  /**
   * Whether one of the caller's posts is part of the OP's thread, given the item above it if shown.
   */
  readonly isOpThread: (post: LocalPost, above: unknown) => boolean
}

/** An item's level below the anchor, negative above it; NaN for an unknown shape. */
export const depthOf = (item: unknown): number => {
  const depth = at(item, "depth")
  return typeof depth === "number" ? depth : Number.NaN
}

/** Whether an item shows a post. */
export const isPostItem = (item: unknown): item is JsonObject =>
  textAt(item, "value", "$type") === postType && objectAt(item, "value", "post") !== undefined

/** The URI of the thread's root post, from an item. */
export const rootOfItem = (item: unknown): string | undefined =>
  isPostItem(item)
    ? (textAt(item, "value", "post", "record", "reply", "root", "uri") ?? textAt(item, "uri"))
    : undefined

/** The item of a new post of the caller's, without replies. */
export const ownItem = (
  post: LocalPost,
  depth: number,
  above: unknown,
  { viewing, isOpThread }: Listing
): JsonObject => ({
  uri: post.uri,
  depth,
  value: {
    $type: postType,
    post: postView(post, viewing),
    moreParents: false,
    moreReplies: 0,
    opThread: isOpThread(post, above),
    hiddenByThreadgate: false,
    mutedByViewer: false
  }
})

const count = (value: unknown): number => (typeof value === "number" ? value : 0)

const replyCount = (item: unknown): number => count(at(item, "value", "post", "replyCount"))
const moreReplies = (item: unknown): number => count(at(item, "value", "moreReplies"))

/** An item with one more reply; `more` of its replies are not shown. */
export const answeredItem = (item: JsonObject, more = 0): JsonObject => ({
  ...item,
  value: {
    ...objectAt(item, "value"),
    post: { ...objectAt(item, "value", "post"), replyCount: replyCount(item) + 1 },
    moreReplies: moreReplies(item) + more
  }
})

/** The end of an item's descendants: each post is followed by everything below it. */
const endBelow = (items: ReadonlyArray<unknown>, parent: number): number => {
  const depth = depthOf(items[parent])
  let end = parent + 1
  while (end < items.length && depthOf(items[end]) > depth) end++
  return end
}

/**
 * The rank of a reply: first the OP's thread, then the OP's other replies, the caller's, and all
 * others.
 */
const rank = (item: unknown, { op, viewing }: Listing): number => {
  if (at(item, "value", "opThread") === true) return 0
  const author = textAt(item, "value", "post", "author", "did")
  if (author === op) return 1
  return author === viewing.local.did ? 2 : 3
}

/** The order within a rank. */
const orders: Readonly<Record<string, (a: unknown, b: unknown) => number>> = {
  newest: (a, b) => indexed(b) - indexed(a),
  oldest: (a, b) => indexed(a) - indexed(b),
  top: (a, b) => likes(b) - likes(a) || indexed(b) - indexed(a)
}

const indexed = (item: unknown): number =>
  Date.parse(textAt(item, "value", "post", "indexedAt") ?? "")
const likes = (item: unknown): number => count(at(item, "value", "post", "likeCount"))

const isBefore = (item: unknown, other: unknown, listing: Listing): boolean => {
  const order = Object.hasOwn(orders, listing.sort) ? orders[listing.sort]! : orders["newest"]!
  return (rank(item, listing) - rank(other, listing) || order(item, other)) < 0
}

/**
 * Whether replies to an item are below the lowest level. An AppView may stop earlier than
 * requested, in which case it counts all replies as omitted.
 */
const isLowest = (item: unknown, hasReplies: boolean, below: number): boolean => {
  const left = moreReplies(item)
  return depthOf(item) >= below || (!hasReplies && left > 0 && left >= replyCount(item))
}

/** The items with the caller's reply inserted; the same items if it has no place. */
export const insertItem = (
  items: ReadonlyArray<unknown>,
  post: LocalPost,
  listing: Listing
): ReadonlyArray<unknown> => {
  if (items.some((item) => textAt(item, "uri") === post.uri)) return items
  const place = items.findIndex((item) => isPostItem(item) && item["uri"] === parentOf(post))
  const parent = items[place]
  if (!isObject(parent)) return items
  const depth = depthOf(parent)
  // Above the anchor only the path to it is shown.
  if (depth < 0) return items.with(place, answeredItem(parent))
  const end = endBelow(items, place)
  const replies = items
    .map((item, i) => (i > place && i < end && depthOf(item) === depth + 1 ? i : -1))
    .filter((i) => i >= 0)
  if (isLowest(parent, replies.length > 0, listing.below)) {
    return items.with(place, answeredItem(parent, 1))
  }
  const item = ownItem(post, depth + 1, parent, listing)
  const before = replies.find((i) => isBefore(item, items[i], listing)) ?? end
  const grown = items.toSpliced(before, 0, item)
  if (depth === 0 || replies.length < listing.branchingFactor) {
    return grown.with(place, answeredItem(parent))
  }
  // One too many: the last reply is removed, with everything below it.
  const last = before === end ? end : replies.at(-1)! + 1
  return grown.toSpliced(last, end + 1 - last).with(place, answeredItem(parent, 1))
}
