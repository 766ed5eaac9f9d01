import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { didMethod } from "../../core/identity/did.ts"
import { type KeyWishes, type Sorted, sortKeys } from "../../core/identity/movedData.ts"
import { Did } from "../answers.ts"
import { CallFailed, Failed } from "../failure.ts"
import { plcDataOf } from "../identity/lookup.ts"
import type { Session } from "../session.ts"
import { query } from "../xrpc.ts"
import { credentialsAt } from "./network.ts"

type Keys = ReadonlyArray<string>

/** The directory's limit of rotation keys. */
const mostKeys = 5

/** How many of a server's other accounts are compared. */
const mostNeighbours = 10

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
    others.slice(0, mostNeighbours),
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
