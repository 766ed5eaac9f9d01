import * as Effect from "effect/Effect"
import { readStoredRecord } from "../../core/repo/cborLoose.ts"
import { blockToJsonText } from "../../core/repo/jsonText.ts"
import { tidToMicros } from "../../core/repo/tid.ts"
import type { AccountCalls } from "../../services/accounts/AccountCalls.ts"
import type { AppViewRead, LocalRecord } from "../../services/repo/localRecordCalls.ts"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { Records, type StoredRecord } from "../../services/repo/Records.ts"
import { ServiceTokens } from "../../services/sessions/ServiceTokens.ts"
import { Signer } from "../../services/identity/Signer.ts"
import { Takedowns } from "../../services/accounts/Takedowns.ts"
import { InvalidRequest } from "../../services/failures.ts"

/** How many of the newest posts are looked at: record rows have no index by rev, which would bill a row with each write. */
const lookedAt = 50

const postType = "app.bsky.feed.post"

const profilePath = "app.bsky.actor.profile/self"

/** How many records a patch is made of, the profile not counted. */
const maxPosts = 10

const localRecord = (did: string, { path, cid, rev, value }: StoredRecord): LocalRecord => ({
  uri: `at://${did}/${path}`,
  cid: cid.toString(),
  indexedAt: new Date(Math.floor(tidToMicros(rev) / 1000)).toISOString(),
  json: blockToJsonText(value)
})

/** Whether an app would take a record for one of this server: an import may have kept others as they came. */
const isStrict = (value: Uint8Array): boolean => readStoredRecord(value).oddity === undefined

/**
 * The posts and the profile that were written after a rev, without what a moderator has taken down.
 *
 * A rev from before the account was made here is one of another server, where the account lived:
 * all records are newer than it, and an app view that is so far behind is catching up with the move.
 */
export const localRecords = Effect.fnUntraced(function* ({
  since
}: AccountCalls["localRecords"]["input"]) {
  const { did, handle, createdAt } = yield* (yield* AccountStore).get
  if (tidToMicros(since) < Date.parse(createdAt) * 1000) return undefined
  const records = yield* Records
  const takedowns = yield* Takedowns
  const hidden = takedowns.inCollection(postType)
  const posts = records
    .page({ collection: postType, limit: lookedAt, ascending: false })
    .records.filter(({ path, rev, value }) => rev > since && !hidden.has(path) && isStrict(value))
    .slice(0, maxPosts)
  const stored = takedowns.record(profilePath) === undefined ? records.get(profilePath) : undefined
  const profile = stored !== undefined && isStrict(stored.value) ? stored : undefined
  const profileIsNew = profile !== undefined && profile.rev > since
  if (posts.length === 0 && !profileIsNew) return undefined
  return {
    handle,
    posts: posts.map((post) => localRecord(did, post)),
    profileIsNew,
    ...(profile === undefined ? {} : { profile: localRecord(did, profile) })
  }
})

const appViewReads: Readonly<Record<AppViewRead, true>> = {
  "app.bsky.feed.getFeedGenerators": true,
  "app.bsky.feed.getPosts": true,
  "app.bsky.feed.getPostThread": true,
  "app.bsky.graph.getList": true,
  "app.bsky.graph.getStarterPacks": true,
  "app.bsky.labeler.getServices": true,
  "app.bsky.unspecced.getPostThreadV2": true
}

/** Signs for a reading method, and for no other. */
export const signAppViewRead = Effect.fnUntraced(function* ({
  lxm,
  aud
}: AccountCalls["signAppViewRead"]["input"]) {
  if (!Object.hasOwn(appViewReads, lxm)) {
    return yield* new InvalidRequest({ message: `Not a read of an app view: ${lxm}` })
  }
  const { did } = yield* (yield* AccountStore).get
  const token = yield* (yield* ServiceTokens).create(yield* Signer, { iss: did, aud, lxm })
  return { token }
})
