import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { inAuthorFeed, insertInFeed, missingInFeed } from "../../core/proxy/feed.ts"
import { isObject, type JsonObject } from "../../core/proxy/json.ts"
import { type Local, type LocalPost, parentOf, quoteOf, rootOf } from "../../core/proxy/local.ts"
import { authorOf, inProfile, inProfiles, withNewProfile } from "../../core/proxy/profile.ts"
import { questionsFor } from "../../core/proxy/questions.ts"
import type { OwnThread } from "../../core/proxy/thread.ts"
import {
  getPostThread,
  getPostThreadV2,
  type ThreadMethod
} from "../../core/proxy/threadMethods.ts"
import { postsIn } from "../../core/proxy/views.ts"
import { isTid } from "../../core/repo/tid.ts"
import type { LocalRecord, LocalRecords } from "../../services/repo/calls.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { askAll, askAppView } from "./askAppView.ts"
import type { Patch, Patchable, PatchServices } from "./patch.ts"

/** Merges the caller's recent writes into a response; undefined if nothing changes. */
type Merge = (
  answer: Patchable,
  local: Local
) => Effect.Effect<JsonObject | undefined, unknown, PatchServices>

const recordOf = ({ json }: LocalRecord): JsonObject => {
  const record: unknown = JSON.parse(json)
  return isObject(record) ? record : {}
}

const localOf = (did: string, records: LocalRecords, publicUrl: string): Local => ({
  did,
  handle: records.handle,
  posts: records.posts.map((post) => ({ ...post, record: recordOf(post) })),
  profile: records.profile === undefined ? undefined : recordOf(records.profile),
  profileIsNew: records.profileIsNew,
  // The AppView doesn't have these pictures yet; this server does.
  blobUrl: (cid) =>
    `${publicUrl}/xrpc/com.atproto.sync.getBlob?did=${encodeURIComponent(did)}&cid=${cid}`
})

/**
 * How far behind the AppView is: the age of the oldest record that it doesn't know, in
 * milliseconds.
 */
const lagOf = ({ posts, profile, profileIsNew }: LocalRecords, now: number): number => {
  const records = profileIsNew && profile !== undefined ? [...posts, profile] : posts
  return Math.max(0, ...records.map(({ indexedAt }) => now - Date.parse(indexedAt)))
}

/** The rev that an upstream knows, if the caller's repo is ahead of it. */
export const revBehind = (headers: Headers, rev: string): string | undefined => {
  const since = headers.get("atproto-repo-rev")
  return since === null || !isTid(since) || since >= rev ? undefined : since
}

/**
 * The account's writes that the upstream hasn't seen; without any, the response isn't even read.
 */
const newer = Effect.fnUntraced(function* ({ did, rev, headers }: Patchable) {
  const since = revBehind(headers, rev)
  if (since === undefined) return undefined
  return yield* (yield* Accounts).call(did, "localRecords", { since })
})

const patch =
  (merge: Merge): Patch =>
  (answer) =>
    Effect.gen(function* () {
      const records = yield* newer(answer)
      if (records === undefined) return undefined
      const { publicUrl } = yield* Config
      const local = yield* Effect.try(() => localOf(answer.did, records, publicUrl))
      const body = yield* merge(answer, local)
      if (body === undefined) return undefined
      const lag = lagOf(records, yield* Clock.currentTimeMillis)
      return { body, headers: { "atproto-upstream-lag": String(lag) } }
    })

/** The JSON of a success; anything else is left alone. */
const bodyOf = Effect.fnUntraced(function* ({ status, json }: Patchable) {
  const body = status === 200 ? yield* json : undefined
  return isObject(body) ? body : undefined
})

/** Merges with a pure function, whose exceptions on unexpected shapes are failures. */
const changed = (change: (body: JsonObject, local: Local) => unknown): Merge =>
  Effect.fnUntraced(function* (answer, local) {
    if (!local.profileIsNew) return undefined
    const body = yield* bodyOf(answer)
    if (body === undefined) return undefined
    const made = yield* Effect.try(() => change(body, local))
    return isObject(made) ? made : undefined
  })

/** What showing the caller's posts requires: from the response, or else from more requests. */
const viewingOf = Effect.fnUntraced(function* (
  answer: Patchable,
  body: unknown,
  local: Local,
  uris: ReadonlyArray<string | undefined>
) {
  const { shown, questions } = yield* Effect.try(() => {
    const shown = postsIn(body)
    const own = new Set(local.posts.map(({ uri }) => uri))
    const isWanted = (uri: string | undefined): uri is string =>
      uri !== undefined && !own.has(uri) && !shown.has(uri)
    return { shown, questions: questionsFor(uris.filter(isWanted)) }
  })
  const asked = yield* askAll(answer, questions)
  return {
    local,
    author: authorOf(shown.values(), local),
    known: new Map([...shown, ...asked])
  }
})

const feed = (
  postsOf: (local: Local, params: URLSearchParams) => ReadonlyArray<LocalPost>
): Merge =>
  Effect.fnUntraced(function* (answer, local) {
    const body = yield* bodyOf(answer)
    if (body === undefined) return undefined
    const params = answer.url.searchParams
    const posts = yield* Effect.try(() => missingInFeed(body, postsOf(local, params), params))
    if (posts.length === 0 && !local.profileIsNew) return undefined
    const renewed = yield* Effect.try(() => withNewProfile(body, local))
    const uris = posts.flatMap((post) => [parentOf(post), rootOf(post), quoteOf(post)])
    const viewing = yield* viewingOf(answer, renewed, local, uris)
    return yield* Effect.try(() =>
      isObject(renewed) ? insertInFeed(renewed, posts, viewing) : undefined
    )
  })

const authorFeed = feed((local, params) => {
  const actor = params.get("actor") ?? ""
  const isOwn = actor === local.did || actor.toLowerCase() === local.handle
  return isOwn ? inAuthorFeed(local, params.get("filter")) : []
})

/** A thread that the AppView knows, with the caller's new replies. */
const knownThread = (method: ThreadMethod): Merge =>
  Effect.fnUntraced(function* (answer, local) {
    const body = yield* bodyOf(answer)
    if (body === undefined) return undefined
    const posts = yield* Effect.try(() => method.missing(body, local))
    if (posts.length === 0 && !local.profileIsNew) return undefined
    const renewed = yield* Effect.try(() => withNewProfile(body, local))
    if (!isObject(renewed)) return undefined
    const viewing = yield* viewingOf(answer, renewed, local, posts.map(quoteOf))
    const params = answer.url.searchParams
    const whole = yield* Effect.try(() => method.insert(renewed, posts, viewing, params))
    return whole === body ? undefined : whole
  })

/** The thread of the caller's post that the AppView doesn't know. */
const unknownThread = (method: ThreadMethod): Merge =>
  Effect.fnUntraced(function* (answer, local) {
    const params = answer.url.searchParams
    const own = yield* Effect.try(() => method.own(params, local))
    if (own === undefined) return undefined
    const above = yield* threadAbove(answer, method, own)
    const renewed = yield* Effect.try(() => withNewProfile(above, local))
    const posts = [own.post, ...own.parents, ...own.replies]
    const viewing = yield* viewingOf(answer, renewed, local, posts.map(quoteOf))
    return yield* Effect.try(() => method.view(own, renewed, viewing, params))
  })

/** The thread of the post's parent; without it, the post is shown alone. */
const threadAbove = (
  answer: Patchable,
  { lxm, paramsAbove }: ThreadMethod,
  { above, parentHeight }: OwnThread
) =>
  above === undefined
    ? Effect.undefined
    : askAppView(answer, lxm, Object.entries(paramsAbove(above, parentHeight))).pipe(
        Effect.orElseSucceed(() => undefined)
      )

const thread = (method: ThreadMethod): Merge => {
  const known = knownThread(method)
  const unknown = unknownThread(method)
  return (answer, local) =>
    Effect.flatMap(answer.json, (body) =>
      method.isUnknown(body) ? unknown(answer, local) : known(answer, local)
    )
}

/** The methods whose responses include the caller's recent writes. */
export const patches: ReadonlyMap<string, Patch> = new Map<string, Patch>([
  ["app.bsky.actor.getProfile", patch(changed(inProfile))],
  ["app.bsky.actor.getProfiles", patch(changed(inProfiles))],
  ["app.bsky.feed.getActorLikes", patch(changed(withNewProfile))],
  ["app.bsky.feed.getAuthorFeed", patch(authorFeed)],
  [getPostThread.lxm, patch(thread(getPostThread))],
  ["app.bsky.feed.getTimeline", patch(feed(({ posts }) => posts))],
  [getPostThreadV2.lxm, patch(thread(getPostThreadV2))]
])
