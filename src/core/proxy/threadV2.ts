import { at, type JsonObject, isObject, listAt, objectAt, textAt } from "./json.ts"
import { authorityOf, type Local, type LocalPost, parentOf, rootOf } from "./local.ts"
import { numberItems, opNumbers } from "./opThread.ts"
import { levels, type OwnThread } from "./thread.ts"
import {
  answeredItem,
  depthOf,
  insertItem,
  isPostItem,
  type Listing,
  type ListWish,
  ownItem,
  rootOfItem
} from "./threadItems.ts"
import type { Viewing } from "./views.ts"

/** The options in the parameters, or the lexicon's defaults. */
export const wishOf = (params: URLSearchParams): ListWish & { readonly above: boolean } => ({
  above: params.get("above") !== "false",
  below: levels(params.get("below"), 6, 20),
  branchingFactor: levels(params.get("branchingFactor"), 10, 100),
  sort: params.get("sort") ?? "oldest"
})

const anchorOf = (answer: unknown): unknown =>
  listAt(answer, "thread").find((item) => depthOf(item) === 0)

/** Whether a response says that the anchor is unknown. */
export const isAnchorUnknown = (answer: unknown): boolean =>
  textAt(answer, "error") === "NotFound" ||
  textAt(anchorOf(answer), "value", "$type") === "app.bsky.unspecced.defs#threadItemNotFound"

/**
 * The caller's posts of a conversation that a response shows partly, without those it shows, oldest
 * first.
 */
export const missingInItems = (answer: unknown, { posts }: Local): ReadonlyArray<LocalPost> => {
  const root = rootOfItem(anchorOf(answer))
  if (root === undefined) return []
  const shown = new Set(listAt(answer, "thread").map((item) => textAt(item, "uri")))
  return posts.filter((post) => rootOf(post) === root && !shown.has(post.uri)).toReversed()
}

/** How to list a thread when the caller's posts, oldest first, are added to the shown items. */
const listing = (
  items: ReadonlyArray<unknown>,
  posts: ReadonlyArray<LocalPost>,
  root: string,
  viewing: Viewing,
  wish: ListWish
) => {
  const { did } = viewing.local
  const op = authorityOf(root)
  const numbers = opNumbers(items, posts, root, did)
  const follows = (post: LocalPost, above: unknown): boolean =>
    above === undefined
      ? authorityOf(parentOf(post) ?? "") === did
      : at(above, "value", "opThread") === true
  const isOpThread: Listing["isOpThread"] = (post, above) =>
    numbers?.has(post.uri) ?? (op === did && follows(post, above))
  return { numbers, how: { ...wish, viewing, op, isOpThread } satisfies Listing }
}

/**
 * The response with the posts inserted among the replies; the same response if none belongs in it.
 */
export const insertInItems = (
  answer: JsonObject,
  posts: ReadonlyArray<LocalPost>,
  viewing: Viewing,
  wish: ListWish
): JsonObject => {
  const items = listAt(answer, "thread")
  const root = rootOfItem(anchorOf(answer))
  if (root === undefined) return answer
  const { numbers, how } = listing(items, posts, root, viewing, wish)
  const made = posts.reduce((whole, post) => insertItem(whole, post, how), items)
  return made === items ? answer : { ...answer, thread: numberItems(made, numbers) }
}

/** The AppView's items of the parent of a caller's thread, raised by this many levels. */
const itemsAbove = (above: unknown, root: string, levelsUp: number): ReadonlyArray<unknown> => {
  const items = listAt(above, "thread")
    .filter(isObject)
    .filter((item) => depthOf(item) <= 0)
  const anchor = items.at(-1)
  // A reply with another root belongs to another conversation than its parent.
  if (isPostItem(anchor) && rootOfItem(anchor) !== root) return []
  return items.map((item) => ({ ...item, depth: depthOf(item) - levelsUp }))
}

/** The response for a thread of the caller's; `above` is the AppView's response for its parent. */
export const viewOwnItems = (
  { post, parents, replies }: OwnThread,
  above: unknown,
  viewing: Viewing,
  wish: ListWish & { readonly above: boolean }
): JsonObject => {
  const root = rootOf(post) ?? post.uri
  const known = itemsAbove(above, root, parents.length + 1)
  const path = [...parents.toReversed(), post]
  const below = replies.filter((reply) => rootOf(reply) === root)
  const posts = viewing.local.posts.filter((each) => (rootOf(each) ?? each.uri) === root)
  const { numbers, how } = listing(known, posts.toReversed(), root, viewing, wish)
  const shown = path.reduce((items, each, i) => {
    const over = items.at(-1)
    const item = ownItem(each, i - parents.length, over, how)
    if (isPostItem(over)) return [...items.slice(0, -1), answeredItem(over), item]
    return [...items, over === undefined && wish.above ? beginning(item, each) : item]
  }, known)
  const thread = below.reduce((items, reply) => insertItem(items, reply, how), shown)
  const threadgate = known.length > 0 && isObject(above) ? above["threadgate"] : undefined
  return { thread: numberItems(thread, numbers), threadgate, hasOtherReplies: false }
}

/** The first shown item, which indicates missing parents. */
const beginning = (item: JsonObject, post: LocalPost): JsonObject => ({
  ...item,
  value: { ...objectAt(item, "value"), moreParents: parentOf(post) !== undefined }
})
