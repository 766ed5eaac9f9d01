import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { didMethod } from "../../core/identity/did.ts"
import { Did } from "../answers.ts"
import { CallFailed, Failed } from "../failure.ts"
import { plcDataOf } from "../identity/lookup.ts"
import type { Session } from "../session.ts"
import { query } from "../xrpc.ts"
import { credentialsAt } from "./network.ts"

type Keys = ReadonlyArray<string>

/** The directory's limit of rotation keys. */
const mostKeys = 5

/** Rotation keys of Bluesky's accounts; its servers don't recommend all of them. */
const bluesky: Keys = [
  "did:key:zQ3shhCGUqDKjStzuDxPkTxN6ujddP4RkEKJJouJGRRkaLGbg",
  "did:key:zQ3shpKnbdPx3g3CmPf5cRVTPe1HtSwVn5ish3wSnDPQCbLJK",
  "did:key:zQ3shP5TBe1sQfSttXty15FAEHV1DZgcxRZNxvEWnPfLFwLxJ"
]

/**
 * How many of a server's other accounts are compared, and how many must exist for their keys to
 * count.
 */
const neighbours = { most: 10, least: 3 } as const

/** The rotation keys of a DID: the old server's, which go, and the owner's, which stay. */
export interface Sorted {
  readonly own: Keys
  readonly theirs: Keys
}

/** The owner's choices about the DID's keys. */
export interface KeyWishes {
  readonly keep: Keys
  readonly drop: Keys
}

/**
 * Separates the owner's rotation keys from the old server's.
 *
 * The server's are: the last one that it recommends, since a server lists its own key last; those
 * that most of its other accounts have too; and Bluesky's. An undecidable key counts as the
 * owner's: the plan shows a superfluous key, which can be dropped, while a missing one may have
 * been the only way back.
 */
export const sortKeys = (
  {
    keys,
    named,
    others
  }: { readonly keys: Keys; readonly named: Keys; readonly others: ReadonlyArray<Keys> },
  { keep, drop }: KeyWishes
): Sorted => {
  // A server without a recommendation lists its own key last too.
  const last = (named.length === 0 ? keys : named).at(-1)
  const isShared = (key: string) =>
    others.length >= neighbours.least &&
    others.filter((one) => one.includes(key)).length > others.length / 2
  const isTheirs = (key: string) => key === last || bluesky.includes(key) || isShared(key)
  const own = keys.filter((key) => !drop.includes(key) && (keep.includes(key) || !isTheirs(key)))
  return { own, theirs: keys.filter((key) => !own.includes(key)) }
}

const Repos = Schema.Struct({
  repos: Schema.Array(Schema.Struct({ did: Did, active: Schema.optionalKey(Schema.Boolean) }))
})

/** The rotation keys of some other accounts on a server; empty if it doesn't list accounts. */
const keysOfOthers = Effect.fnUntraced(function* ({ server, did }: Session) {
  const { repos } = yield* query({ server }, "com.atproto.sync.listRepos", Repos, { limit: 50 })
  const others = repos.filter(
    (repo) => repo.active !== false && repo.did !== did && didMethod(repo.did) === "plc"
  )
  const found = yield* Effect.forEach(
    others.slice(0, neighbours.most),
    (other) =>
      Effect.orElseSucceed(
        Effect.map(plcDataOf(other.did), ({ rotationKeys }) => [rotationKeys]),
        () => []
      ),
    { concurrency: 5 }
  )
  return found.flat()
})

/** The rotation keys of an account's DID, sorted; a did:web has none. */
export const sortedKeys = Effect.fn("cli.sortedKeys")(function* (from: Session, wishes: KeyWishes) {
  const { did } = from
  if (didMethod(did) !== "plc") return { own: [], theirs: [] } satisfies Sorted
  const { rotationKeys: keys } = yield* plcDataOf(did)
  const { rotationKeys: named = [] } = yield* Effect.catchIf(
    credentialsAt(from),
    // The old server rejects the request for an account that was taken down.
    (error) => error instanceof CallFailed && error.status < 500,
    () => Effect.succeed({ rotationKeys: [] })
  )
  const others = yield* Effect.orElseSucceed(keysOfOthers(from), () => [])
  return sortKeys({ keys, named, others }, wishes)
})

/**
 * Fails if there are more keys than the directory allows, and lists those that the owner can drop.
 */
export const assertFew = (keys: Keys, own: Keys): Effect.Effect<void, Failed> =>
  keys.length <= mostKeys
    ? Effect.void
    : Effect.fail(
        new Failed({
          message: `Your identity would have ${keys.length} rotation keys, but only ${mostKeys} are allowed`,
          next: `Remove keys you no longer need with --drop-key:\n${own.join("\n")}`
        })
      )
