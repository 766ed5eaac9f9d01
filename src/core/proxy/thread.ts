import { at, type JsonObject, isObject, listAt, objectAt, textAt } from "./json.ts"
import { type Local, type LocalPost, parentOf, rootOf } from "./local.ts"
import { postView, type Viewing } from "./views.ts"

const threadType = "app.bsky.feed.defs#threadViewPost"

const isThread = (view: unknown): view is JsonObject =>
  textAt(view, "$type") === threadType && objectAt(view, "post") !== undefined

/** Whether a response says that the post is unknown. */
export const isUnknown = (answer: unknown): boolean =>
  textAt(answer, "error") === "NotFound" ||
  textAt(answer, "thread", "$type") === "app.bsky.feed.defs#notFoundPost"

/** The requested levels of replies and parents. */
export const levelsOf = (params: URLSearchParams): { depth: number; parentHeight: number } => ({
  depth: levels(params.get("depth"), 6),
  parentHeight: levels(params.get("parentHeight"), 80)
})

/** A number of levels from a parameter, or the default. */
export const levels = (text: string | null, usual: number, most = 1000): number => {
  const number = Number(text ?? usual)
  return Number.isInteger(number) && number >= 0 ? Math.min(number, most) : usual
}

/** The caller's posts in a thread, oldest first: a reply comes after its parent. */
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

/** The thread with the posts below their parents; the same thread if none belongs in it. */
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

/** The thread of a new post that the AppView doesn't know. */
export interface OwnThread {
  readonly post: LocalPost
  /** Its parents that are also new posts of the caller, nearest first. */
  readonly parents: ReadonlyArray<LocalPost>
  /** The URI that the highest of these answers, if any: the AppView may know it. */
  readonly above: string | undefined
  /** How many more parents are requested above. */
  readonly parentHeight: number
  /** The caller's replies to it and to each other, oldest first. */
  readonly replies: ReadonlyArray<LocalPost>
}

/** The thread of one of the caller's new posts; `uri` may contain the caller's handle. */
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
    // Records may reply to each other in a circle.
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

/** The response for a thread of the caller's; `above` is the AppView's thread of its parent. */
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
