import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { readStoredRecord } from "../../core/repo/cborLoose.ts"
import { blockToJsonText } from "../../core/repo/jsonText.ts"
import { tidToMicros } from "../../core/repo/tid.ts"
import { AccountStore } from "../accounts/AccountStore.ts"
import { Takedowns } from "../accounts/Takedowns.ts"
import { BlobIndex } from "../blobs/BlobIndex.ts"
import { BlobStore } from "../blobs/BlobStore.ts"
import { armSweep } from "../blobs/BlobSweep.ts"
import { InvalidRequest, PayloadTooLarge } from "../failures.ts"
import { Config } from "../host/Config.ts"
import { Signer } from "../identity/Signer.ts"
import { AccountLimits } from "../limits/AccountLimits.ts"
import { ownRecordCalls } from "./ownRecords.ts"
import { Records, type StoredRecord } from "./Records.ts"
import { RepoImport, type TrustedRepo } from "./RepoImport.ts"
import { Auth, authenticate, type Credentials, permit } from "../sessions/Auth.ts"
import type { Authority, Caller } from "../sessions/Authority.ts"
import { ServiceTokens } from "../sessions/ServiceTokens.ts"
import { rules } from "../limits/rules.ts"

/** One of the account's own records, as stored in the repo. */
export interface LocalRecord {
  readonly uri: string
  readonly cid: string
  /** Time of the commit that wrote it. */
  readonly indexedAt: string
  /** The record's JSON text. */
  readonly json: string
}

/** The account's writes that an AppView doesn't know yet, and what is needed to show them. */
export interface LocalRecords {
  readonly handle: string
  /** Newest first, at most ten. */
  readonly posts: ReadonlyArray<LocalRecord>
  /** The profile record, whether new or not. */
  readonly profile?: LocalRecord
  readonly profileIsNew: boolean
}

/** The methods that this server itself calls on an AppView, in the account's name. */
export type AppViewRead =
  | "app.bsky.feed.getFeedGenerators"
  | "app.bsky.feed.getPosts"
  | "app.bsky.feed.getPostThread"
  | "app.bsky.graph.getList"
  | "app.bsky.graph.getStarterPacks"
  | "app.bsky.labeler.getServices"
  | "app.bsky.unspecced.getPostThreadV2"

const nsid = "com.atproto.repo.importRepo"
const needs = [{ resource: "account", attr: "repo", action: "manage" }] as const
/** The authority that an import requires. */
export const importAuthority: Authority = { kind: "session", level: "full", oauth: () => needs }

/** Admits an import of this size by an authorized caller, and notes the key of the staged file. */
export const admitImport = Effect.fnUntraced(function* ({ size = 0 }: { readonly size?: number }) {
  const { acceptImports, importLimit: limit } = yield* Config
  if (!acceptImports) {
    return yield* new InvalidRequest({ message: "This server does not accept imports of repos" })
  }
  if (size > limit) return yield* new PayloadTooLarge({ limit })
  yield* (yield* RepoImport).admit
  yield* (yield* AccountLimits).take(rules.importRepo)
  const { did } = yield* (yield* AccountStore).get
  const key = `${did}/${randomUUID()}`
  ;(yield* BlobIndex).noteUpload(key, yield* Clock.currentTimeMillis)
  yield* armSweep
  return { key, limit }
})

/** Authorizes an import before its first byte arrives. */
const authorizeImport = Effect.fnUntraced(function* (
  input: Credentials & { readonly size?: number }
) {
  const caller = yield* authenticate(input, importAuthority, nsid)
  yield* Effect.fromResult(permit(caller, needs))
  return { ...(yield* admitImport(input)), caller }
})

/** Runs with a staged CAR, and removes it whether that succeeds or not. */
const consuming = Effect.fnUntraced(function* <A, E, R>(key: string, use: Effect.Effect<A, E, R>) {
  const accounts = yield* AccountStore
  const store = yield* BlobStore
  const blobs = yield* BlobIndex
  const remove = Effect.map(store.delete([key]), () => {
    // A deleted account took its rows along.
    if (accounts.peek() !== undefined) blobs.dropUpload(key)
  })
  // If the store fails, the row stays and the sweep tries again.
  return yield* Effect.ensuring(use, Effect.ignore(remove))
})

/** Imports a staged CAR, and removes it whether that succeeds or not. */
export const importStaged = (key: string, trusted?: TrustedRepo) =>
  consuming(
    key,
    Effect.flatMap(RepoImport, (imports) => imports.run(key, trusted))
  )

/** Imports a CAR that the caller has staged; a Worker of the last version doesn't name the caller. */
const importRepo = ({ key, caller }: { readonly key: string; readonly caller?: Caller }) =>
  consuming(
    key,
    Effect.gen(function* () {
      yield* (yield* AccountStore).get
      if (caller !== undefined) {
        yield* Effect.fromResult((yield* Auth).recheck(caller, importAuthority))
      }
      return yield* (yield* RepoImport).run(key)
    })
  )

/**
 * How many of the newest posts are checked: an index of records by rev would bill a row with each
 * write.
 */
const lookedAt = 50

const postType = "app.bsky.feed.post"

const profilePath = "app.bsky.actor.profile/self"

/** The most records in a patch, in addition to the profile. */
const maxPosts = 10

const localRecord = (did: string, { path, cid, rev, value }: StoredRecord): LocalRecord => ({
  uri: `at://${did}/${path}`,
  cid: cid.toString(),
  indexedAt: new Date(Math.floor(tidToMicros(rev) / 1000)).toISOString(),
  json: blockToJsonText(value)
})

/** Whether apps would accept a record; an import may have kept others as they were. */
const isStrict = (value: Uint8Array): boolean => readStoredRecord(value).oddity === undefined

/**
 * The posts and the profile written after a rev, without those that were taken down.
 *
 * A rev from before the account existed here belongs to its previous server: all records are newer,
 * and an AppView that far behind is still processing the move.
 */
const localRecords = Effect.fnUntraced(function* ({ since }: { readonly since: string }) {
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

/** Signs service auth for these reading methods only. */
const signAppViewRead = Effect.fnUntraced(function* ({
  lxm,
  aud
}: {
  readonly lxm: AppViewRead
  readonly aud: string
}) {
  if (!Object.hasOwn(appViewReads, lxm)) {
    return yield* new InvalidRequest({ message: `Not a read of an app view: ${lxm}` })
  }
  const { did } = yield* (yield* AccountStore).get
  const token = yield* (yield* ServiceTokens).create(yield* Signer, { iss: did, aud, lxm })
  return { token }
})

/**
 * Calls to the account's object for imports, whose bytes the Worker stages in the blob store, for
 * read-after-write, and for the owner's pages.
 */
export const repoCalls = {
  authorizeImport,
  importRepo,
  localRecords,
  signAppViewRead,
  ...ownRecordCalls
}
