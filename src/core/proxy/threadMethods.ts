import { type JsonObject, objectAt } from "./json.ts"
import type { Local, LocalPost } from "./local.ts"
import {
  insertInThread,
  isUnknown,
  levelsOf,
  missingInThread,
  type OwnThread,
  ownThread,
  viewOwnThread
} from "./thread.ts"
import { insertInItems, isAnchorUnknown, missingInItems, viewOwnItems, wishOf } from "./threadV2.ts"
import type { Viewing } from "./views.ts"

/** A method that shows a thread, and how to insert the caller's new posts into its responses. */
export interface ThreadMethod {
  readonly lxm: "app.bsky.feed.getPostThread" | "app.bsky.unspecced.getPostThreadV2"
  /** Whether a response says that the post is unknown. */
  readonly isUnknown: (answer: unknown) => boolean
  /** The caller's posts that may belong in the thread, oldest first. */
  readonly missing: (answer: unknown, local: Local) => ReadonlyArray<LocalPost>
  /** The response with the posts inserted; the same response if none belongs in it. */
  readonly insert: (
    answer: JsonObject,
    posts: ReadonlyArray<LocalPost>,
    viewing: Viewing,
    params: URLSearchParams
  ) => JsonObject
  /** The requested thread, if its post is one of the caller's new ones. */
  readonly own: (params: URLSearchParams, local: Local) => OwnThread | undefined
  /**
   * The parameters that request a thread's parent from the AppView, and this many levels above it.
   */
  readonly paramsAbove: (above: string, height: number) => Readonly<Record<string, string>>
  /** The response for such a thread. */
  readonly view: (
    own: OwnThread,
    above: unknown,
    viewing: Viewing,
    params: URLSearchParams
  ) => JsonObject
}

/** The thread as a tree. */
export const getPostThread: ThreadMethod = {
  lxm: "app.bsky.feed.getPostThread",
  isUnknown,
  missing: missingInThread,
  insert: (answer, posts, viewing, params) => {
    const thread = objectAt(answer, "thread")
    if (thread === undefined) return answer
    const whole = insertInThread(thread, posts, viewing, levelsOf(params).depth)
    return whole === thread ? answer : { ...answer, thread: whole }
  },
  own: (params, local) => ownThread(params.get("uri") ?? "", local, levelsOf(params).parentHeight),
  paramsAbove: (uri, height) => ({ uri, depth: "0", parentHeight: String(height) }),
  view: (own, above, viewing, params) =>
    viewOwnThread(own, objectAt(above, "thread"), viewing, levelsOf(params).depth)
}

/** More than the caller's new posts can have; the AppView decides how many more it shows. */
const manyLevels = 80

/** The thread as a list of items. */
export const getPostThreadV2: ThreadMethod = {
  lxm: "app.bsky.unspecced.getPostThreadV2",
  isUnknown: isAnchorUnknown,
  missing: missingInItems,
  insert: (answer, posts, viewing, params) => insertInItems(answer, posts, viewing, wishOf(params)),
  own: (params, local) =>
    ownThread(params.get("anchor") ?? "", local, wishOf(params).above ? manyLevels : 0),
  paramsAbove: (anchor) => ({ anchor, above: "true", below: "0", branchingFactor: "0" }),
  view: (own, above, viewing, params) => viewOwnItems(own, above, viewing, wishOf(params))
}
