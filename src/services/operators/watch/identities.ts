import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { utcMinute } from "../../../core/host/utcMinute.ts"
import { didMethod } from "../../../core/identity/did.ts"
import { cidOfOperation, signerOf } from "../../../core/identity/plcOperation.ts"
import type { Finding, Look } from "../../../core/operators/alerts.ts"
import { Directory, type DirectoryEntry } from "../../accounts/Directory.ts"
import { Config } from "../../host/Config.ts"
import { rotationKeys } from "../../identity/Keys.ts"
import { PlcDirectory } from "../../identity/PlcDirectory.ts"
import { type SeenOperation, SeenOperations } from "../../identity/SeenOperations.ts"
import { InvalidRequest } from "../../failures.ts"
import { Alerts } from "../Alerts.ts"
import { HostCounts } from "../HostCounts.ts"
import { WatchNotes } from "../WatchNotes.ts"

const hour = 3_600_000

/** How often every account is looked at, in milliseconds. */
const every = 6 * hour

/** The looks in that time, and some less: a look may fail. */
const looks = 60

/** The most accounts of one look: 8,600 a day. */
const most = 30

/** A stronger key can undo an operation this long, in milliseconds. Spec: did:plc. */
const undoFor = 72 * hour

/** How far the walk through the accounts has come; without a cursor it waits for its next turn. */
const Walk = Schema.Struct({ begunAt: Schema.Finite, cursor: Schema.optionalKey(Schema.String) })

const readWalk = Schema.decodeUnknownOption(Walk)

/** Whether an account's owner still lives here; one that moved away changes its DID elsewhere. */
const isWatched = ({ did, status }: DirectoryEntry): boolean =>
  didMethod(did) === "plc" && status !== "deactivated" && status !== "deleted"

/** An operation that somebody else made, and when the watch first saw it. */
type Foreign = Required<SeenOperation>

const isForeign = (seen: SeenOperation | undefined): seen is Foreign =>
  seen?.foreignAt !== undefined

/**
 * Compares an account's PLC log with what the server knows of it; succeeds with the last operation
 * that somebody else made, until nobody can undo it any more.
 */
const lookAt = Effect.fnUntraced(function* (
  did: string,
  seen: SeenOperation | undefined,
  now: number
) {
  const plc = yield* PlcDirectory
  const known = yield* SeenOperations
  if (known === undefined) return undefined
  const cid = cidOfOperation(yield* plc.last(did)).toString()
  if (seen !== undefined && seen.cid !== cid) {
    const ours = rotationKeys(yield* Config).map(({ didKey }) => didKey)
    const log = yield* plc.log(did)
    const cids = log.map((operation) => cidOfOperation(operation).toString())
    const at = cids.indexOf(seen.cid)
    // Without the known operation, a stronger key has undone it.
    const last =
      at < 0
        ? log.length - 1
        : log.findLastIndex((one, of) => of > at && signerOf(one, ours) === undefined)
    const foreign = cids[last]
    if (foreign !== undefined) {
      yield* known.set(did, { cid: foreign, foreignAt: now })
      return { cid: foreign, foreignAt: now }
    }
  }
  if (isForeign(seen) && now - seen.foreignAt < undoFor) return seen
  if (seen?.cid !== cid || isForeign(seen)) yield* known.set(did, { cid })
  return undefined
})

const findingOf = (did: string, { cid, foreignAt }: Foreign): Finding => ({
  kind: "foreign-operation",
  subject: did,
  detail: `Its PLC log has an operation that neither this server nor the owner through it made, seen at ${utcMinute(foreignAt)}: ${cid}. A stronger rotation key can undo it for 72 hours after it was made`
})

/**
 * Takes a foreign operation, and those before it, for the owner's, and ends the alert about it.
 *
 * Rejects any other operation than the one that the alert names.
 */
export const acceptOperation = Effect.fn("watch.acceptOperation")(function* (
  did: string,
  cid: string
) {
  const known = yield* SeenOperations
  const seen = known === undefined ? undefined : (yield* known.get([did])).get(did)
  if (known === undefined || !isForeign(seen) || seen.cid !== cid) {
    return yield* new InvalidRequest({ message: "There is no alert about this operation" })
  }
  yield* known.set(did, { cid })
  const now = yield* Clock.currentTimeMillis
  yield* (yield* Alerts).end({ kind: "foreign-operation", subject: did }, now)
})

/** The next accounts of the walk, and where it continues; undefined until its next turn. */
const nextAccounts = Effect.fnUntraced(function* (now: number) {
  const walk = Option.getOrUndefined(readWalk(yield* (yield* WatchNotes).get("identities")))
  const isWaiting = walk !== undefined && walk.cursor === undefined
  if (isWaiting && now - walk.begunAt < every) return undefined
  const begunAt = walk === undefined || isWaiting ? now : walk.begunAt
  const counts = yield* (yield* HostCounts).last
  const all = Object.values(counts?.accounts ?? {}).reduce((sum, count) => sum + count, 0)
  const limit = counts === undefined ? most : Math.min(most, Math.max(1, Math.ceil(all / looks)))
  const from = walk?.cursor
  const { accounts, cursor } = yield* (yield* Directory).list({
    limit,
    ...(from === undefined ? {} : { cursor: from })
  })
  return { begunAt, from, accounts, cursor }
})

/**
 * Looks at the PLC logs of the next accounts, all accounts within six hours, or a day on a very
 * large server.
 */
export const lookAtIdentities = Effect.fnUntraced(function* (now: number) {
  const nothing: Look = { found: [], looked: () => false }
  const seen = yield* SeenOperations
  if (seen === undefined) return nothing
  const next = yield* nextAccounts(now)
  if (next === undefined) return nothing
  const { accounts, begunAt, cursor, from } = next
  const dids = accounts.filter(isWatched).map(({ did }) => did)
  const known = yield* seen.get(dids)
  const failed = new Set<string>()
  const found = yield* Effect.forEach(
    dids,
    (did) =>
      lookAt(did, known.get(did), now).pipe(
        Effect.map((foreign) => (foreign === undefined ? [] : [findingOf(did, foreign)])),
        Effect.catch(() =>
          Effect.sync((): ReadonlyArray<Finding> => {
            failed.add(did)
            return []
          })
        )
      ),
    { concurrency: 4 }
  )
  if (failed.size > 0) {
    yield* Effect.logWarning("the watch couldn't read PLC logs", { accounts: failed.size })
  }
  // While the directory is down, the walk stays where it is.
  if (failed.size > 0 && failed.size === dids.length) return nothing
  if (cursor === undefined) yield* seen.tidy
  const walk = { begunAt, ...(cursor === undefined ? {} : { cursor }) }
  yield* (yield* WatchNotes).set("identities", walk)
  const look: Look = {
    found: found.flat(),
    // Accounts that were deleted meanwhile are in the range as well.
    looked: ({ kind, subject }) =>
      kind === "foreign-operation" &&
      subject > (from ?? "") &&
      (cursor === undefined || subject <= (accounts.at(-1)?.did ?? "")) &&
      !failed.has(subject)
  }
  return look
})
