import { at, type JsonObject, isObject, listAt, objectAt, textAt } from "./json.ts"
import { type Local, type LocalPost, parentOf, rootOf } from "./local.ts"
import { postView, type Viewing } from "./views.ts"

const threadType = "app.bsky.feed.defs#threadViewPost"

const isThread = (view: unknown): view is JsonObject =>
  textAt(view, "$type") === threadType && objectAt(view, "post") !== undefined

/** Whether an answer says that the post is unknown, in place of showing it. */
export const isUnknown = (answer: unknown): boolean =>
  textAt(answer, "error") === "NotFound" ||
  textAt(answer, "thread", "$type") === "app.bsky.feed.defs#notFoundPost"

/** How many levels of replies and of parents are wanted. */
export const levelsOf = (params: URLSearchParams): { depth: number; parentHeight: number } => ({
  depth: levels(params.get("depth"), 6),
  parentHeight: levels(params.get("parentHeight"), 80)
})

/** A number of levels as a parameter asks for it, or the usual one. */
export const levels = (text: string | null, usual: number, most = 1000): number => {
  const number = Number(text ?? usual)
  return Number.isInteger(number) && number >= 0 ? Math.min(number, most) : usual
}

/** The caller's posts in a thread that is shown, oldest first: a reply comes after what it answers. */
export const missingInThread = (answer: unknown, local: Local): ReadonlyArray<LocalPost> => {
  const thread = at(answer, "thread")
  if (!isThread(thread)) return []
  const shown = textAt(thread, "post", "uri")
  const root = textAt(thread, "post", "record", "reply", "root", "uri")
  return local.posts
    .filter((post) => {
      const of = rootOf(post)
      return of !== undefined && (of === shown || of === root)
    })
    .toReversed()
}

/** The thread with the posts under those that they answer; the same thread where none has its place in it. */
export const insertInThread = (
  thread: JsonObject,
  posts: ReadonlyArray<LocalPost>,
  viewing: Viewing,
  depth: number
): JsonObject => posts.reduce((whole, post) => insertReply(whole, post, viewing, depth), thread)

const insertReply = (
  thread: JsonObject,
  post: LocalPost,
  viewing: Viewing,
  depth: number
): JsonObject => {
  if (depth === 0) return thread
  const replies = listAt(thread, "replies")
  if (textAt(thread, "post", "uri") !== parentOf(post)) {
    const changed = replies.map((reply) =>
      isThread(reply) ? insertReply(reply, post, viewing, depth - 1) : reply
    )
    return changed.some((reply, i) => reply !== replies[i])
      ? { ...thread, replies: changed }
      : thread
  }
  if (replies.some((reply) => textAt(reply, "post", "uri") === post.uri)) return thread
  const { replyCount, ...parent } = objectAt(thread, "post")!
  return {
    ...thread,
    post: { ...parent, replyCount: (typeof replyCount === "number" ? replyCount : 0) + 1 },
    replies: [threadView(post, viewing), ...replies]
  }
}

const threadView = (post: LocalPost, viewing: Viewing): JsonObject => ({
  $type: threadType,
  post: postView(post, viewing),
  replies: []
})

/** A post that only its author's server knows, in a thread that the app view does not know. */
export interface OwnThread {
  readonly post: LocalPost
  /** What it answers, as far as that is the caller's own and new too: the nearest first. */
  readonly parents: ReadonlyArray<LocalPost>
  /** What the highest of these answers, if anything: the app view may know it. */
  readonly above: string | undefined
  /** How many more parents are wanted there. */
  readonly parentHeight: number
  /** The caller's replies to it, and to each other, oldest first. */
  readonly replies: ReadonlyArray<LocalPost>
}

/** The thread of one of the caller's new posts; `uri` may name the caller by handle. */
export const ownThread = (
  uri: string,
  local: Local,
  parentHeight: number
): OwnThread | undefined => {
  const [scheme, , authority = "", ...path] = uri.split("/")
  const isOwn = authority === local.did || authority.toLowerCase() === local.handle
  const byUri = new Map(local.posts.map((post) => [post.uri, post]))
  const post = byUri.get([scheme, "", local.did, ...path].join("/"))
  if (!isOwn || post === undefined) return undefined
  const parents: Array<LocalPost> = []
  let above = parentOf(post)
  while (above !== undefined && parents.length < parentHeight) {
    const parent = byUri.get(above)
    // Records can be written to answer each other: nobody is their own ancestor.
    if (parent === undefined || parent === post || parents.includes(parent)) break
    parents.push(parent)
    above = parentOf(parent)
  }
  const rest = parentHeight - parents.length
  const wanted = rest > 0 && above !== undefined && !byUri.has(above)
  return {
    post,
    parents,
    above: wanted ? above : undefined,
    parentHeight: Math.max(rest - 1, 0),
    replies: local.posts.filter((each) => rootOf(each) !== undefined && each !== post).toReversed()
  }
}

/** The answer for a thread of the caller's own; `above` is the app view's thread of what it answers. */
export const viewOwnThread = (
  thread: OwnThread,
  above: unknown,
  viewing: Viewing,
  depth: number
): JsonObject => {
  const parent = thread.parents
    .toReversed()
    .reduce<JsonObject | undefined>(
      (over, post) => withParent(threadView(post, viewing), over),
      isObject(above) ? above : undefined
    )
  const shown = insertInThread(threadView(thread.post, viewing), thread.replies, viewing, depth)
  return { thread: withParent(shown, parent) }
}

const withParent = (thread: JsonObject, parent: JsonObject | undefined): JsonObject =>
  parent === undefined ? thread : { ...thread, parent }
