import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type BlobEntry, AccountManifest, BlobList } from "../../../core/backups/manifests.ts"
import { accountKey, blobKey } from "../../../core/backups/places.ts"
import { Accounts, AccountUnavailable } from "../../accounts/Accounts.ts"
import { InvalidRequest } from "../../failures.ts"
import { WatchNotes } from "../../operators/WatchNotes.ts"
import { BackupTarget } from "../BackupTarget.ts"
import { Budget } from "../Budget.ts"
import { getManifest } from "../objects.ts"
import { copyIn, versionsOf } from "../restoreAccount.ts"
import { discard } from "./present.ts"

/** Returns that haven't ended, by DID: the Worker that began one may have ended. */
const Pending = Schema.Record(
  Schema.String,
  Schema.Struct({
    id: Schema.String,
    at: Schema.Finite,
    bookmark: Schema.String,
    /** When it began (ms). */
    since: Schema.Finite
  })
)

type Pending = typeof Pending.Type

/** The returns that haven't ended, by DID. */
export const pendingReturns = Effect.gen(function* () {
  const noted = yield* (yield* WatchNotes).get("returns")
  return Schema.decodeUnknownOption(Pending)(noted).pipe((found) =>
    found._tag === "Some" ? found.value : ({} satisfies Pending)
  )
})

const note = Effect.fnUntraced(function* (did: string, task: Pending[string] | undefined) {
  const { [did]: _, ...others } = yield* pendingReturns
  yield* (yield* WatchNotes).set(
    "returns",
    task === undefined ? others : { ...others, [did]: task }
  )
})

/** How often the object is asked before the return is left to a later call. */
const attempts = 10

/** A call that succeeds by the object's restart. */
const unlessRestarted = <A, E, R>(call: Effect.Effect<A, E | AccountUnavailable, R>) =>
  Effect.catchIf(
    Effect.asVoid(call),
    (failure): failure is Extract<E | AccountUnavailable, AccountUnavailable> =>
      failure instanceof AccountUnavailable,
    () => Effect.void
  )

/** Takes the object there and back, from wherever it is; false if there is no account at that time. */
const goThere = Effect.fnUntraced(function* (did: string, { id, bookmark }: Pending[string]) {
  const accounts = yield* Accounts
  for (let attempt = 0; attempt < attempts; attempt++) {
    const { kind } = yield* Effect.retry(accounts.call(did, "pointState", { id }), {
      times: attempts,
      while: (failure) => failure instanceof AccountUnavailable
    })
    if (kind === "back") return true
    if (kind === "empty") {
      yield* unlessRestarted(accounts.call(did, "pointUndo", { id, did }))
      return false
    }
    if (kind === "there") {
      const back = yield* Effect.catchTag(
        accounts.call(did, "pointBack", { id }),
        "AccountUnavailable",
        () => Effect.succeed({ isKept: true })
      )
      if (back.isKept) continue
    }
    yield* unlessRestarted(accounts.call(did, "pointGo", { id, bookmark }))
  }
  return yield* new AccountUnavailable({ operation: "point in time", did })
})

/** Copies those of the missing blobs that a backup has; returns the others. */
const fetchBlobs = Effect.fnUntraced(function* (did: string, wanted: Set<string>, budget: Budget) {
  const accounts = yield* Accounts
  if ((yield* BackupTarget) === undefined) return
  const restore = Effect.fnUntraced(function* ({ cid, size, mimeType }: BlobEntry) {
    const key = yield* copyIn(did, { key: blobKey(did, cid), size, digest: cid })
    yield* accounts.call(did, "restoreBlob", { cid, key, size, mimeType })
    wanted.delete(cid)
  })
  for (const version of (yield* versionsOf(did)).toReversed()) {
    if (wanted.size === 0 || (yield* budget.isSpent)) return
    const { blobs } = yield* getManifest(accountKey(did, version), AccountManifest)
    for (const { key } of blobs.lists) {
      for (const blob of yield* getManifest(key, BlobList)) {
        if (!wanted.has(blob.cid) || (yield* budget.isSpent)) continue
        budget.spend(4)
        yield* Effect.ignore(restore(blob))
      }
    }
  }
})

/** The CIDs of blobs that records refer to and the server doesn't have. */
const missingBlobs = Effect.fnUntraced(function* (did: string) {
  return new Set((yield* (yield* Accounts).call(did, "checkState")).awaited)
})

/** The result of a return. */
export interface Returned {
  readonly did: string
  /** ISO. */
  readonly at: string
  readonly rev: string
  readonly records: number
  /** Blobs that a backup had. */
  readonly blobs: number
  /** CIDs of blobs that are gone, the first hundred; and how many there are. */
  readonly gone: ReadonlyArray<string>
  readonly goneCount: number
}

const finish = Effect.fnUntraced(function* (did: string, task: Pending[string], budget: Budget) {
  const accounts = yield* Accounts
  const { id, at } = task
  if (!(yield* goThere(did, task))) {
    yield* note(did, undefined)
    yield* discard(did, id)
    const message = "The account wasn't on this server at that time. Nothing was changed"
    return yield* new InvalidRequest({ message })
  }
  const ended = yield* accounts.call(did, "pointEnd", { id, at })
  const missing = yield* missingBlobs(did)
  const { size } = missing
  yield* Effect.ignore(fetchBlobs(did, missing, budget))
  yield* discard(did, id)
  yield* note(did, undefined)
  return {
    did,
    at: new Date(at).toISOString(),
    rev: ended?.rev ?? "",
    records: ended?.records ?? 0,
    blobs: size - missing.size,
    gone: [...missing].slice(0, 100),
    goneCount: missing.size
  } satisfies Returned
})

/**
 * Puts an account's records, blobs and preferences back to a time (ms), where the platform keeps
 * earlier states. A return of this account that was interrupted is completed instead.
 *
 * The account keeps its handle, password and other ways in; its sessions end. Revs and sequence
 * numbers rise above the present's, and `#sync` announces the repo.
 */
export const restoreAt = Effect.fn("restoreAt")(function* (
  did: string,
  at: number,
  budget: Budget
) {
  let task = (yield* pendingReturns)[did]
  if (task === undefined) {
    const { bookmark } = yield* (yield* Accounts).call(did, "pointBookmark", { at })
    task = { id: randomUUID(), at, bookmark, since: yield* Clock.currentTimeMillis }
    yield* note(did, task)
  }
  return yield* finish(did, task, budget)
})

/** What is left to the operator's command, in milliseconds, before the cron handler completes it. */
const patience = 120_000

/** Completes the returns whose Worker ended; for the cron handler. */
export const completeReturns = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  const budget = new Budget({ operations: 400, until: now + 20_000 })
  for (const [did, task] of Object.entries(yield* pendingReturns)) {
    if (now - task.since > patience) yield* finish(did, task, budget)
  }
})
