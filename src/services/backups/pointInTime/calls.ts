import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { tidFromMicros, tidToMicros } from "../../../core/repo/tid.ts"
import { AccountHistory, noter } from "../../accounts/AccountHistory.ts"
import { AccountLock } from "../../accounts/AccountLock.ts"
import { AccountStore } from "../../accounts/AccountStore.ts"
import { armSweep } from "../../blobs/BlobSweep.ts"
import { InvalidRequest } from "../../failures.ts"
import { Repo } from "../../repo/Repo.ts"
import { AccountEvents } from "../../stream/AccountEvents.ts"
import { PointInTime, PointInTimeOff } from "./PointInTime.ts"
import { PointRows } from "./PointRows.ts"
import { keep, kept, keptOf } from "./present.ts"

/** A return of this object to an earlier state. */
export interface Return {
  readonly id: string
  /** The earlier state. */
  readonly bookmark: string
}

const platform = Effect.flatMap(PointInTime, (point) =>
  point === undefined
    ? Effect.fail(new PointInTimeOff({ problem: "only Cloudflare keeps earlier states" }))
    : Effect.succeed(point)
)

/** The longest text of the history that is read at a time. */
const entriesAPage = 100

/** Whether the account was deactivated or waited for its deletion at a time: its alarm would delete it. */
const wasLeaving = Effect.fnUntraced(function* (at: number) {
  const history = yield* AccountHistory
  let before: number | undefined
  do {
    const page = history.page({
      limit: entriesAPage,
      ...(before === undefined ? {} : { before })
    })
    for (const { kind, at: happened } of page.entries) {
      if (happened > at) continue
      if (kind === "deactivated" || kind === "deletion-asked") return true
      if (kind === "activated" || kind === "deletion-undone" || kind === "created") return false
    }
    before = page.cursor
  } while (before !== undefined)
  return false
})

/** Names the object's state at a time; changes nothing. */
const pointBookmark = Effect.fnUntraced(function* ({ at }: { readonly at: number }) {
  const point = yield* platform
  const { createdAt } = yield* (yield* AccountStore).get
  const now = yield* Clock.currentTimeMillis
  if (at >= now || at < Date.parse(createdAt)) {
    const message = "The time must be after the account's creation and in the past"
    return yield* new InvalidRequest({ message })
  }
  if (yield* wasLeaving(at)) {
    const message = "At that time the account was deactivated or about to be deleted"
    return yield* new InvalidRequest({ message })
  }
  return { bookmark: yield* point.bookmarkAt(at) }
})

/** Where a return is: in which state the object's storage is, and whether it holds an account. */
const pointState = Effect.fnUntraced(function* ({ id }: { readonly id: string }) {
  const mark = (yield* platform).mark()
  if (mark === `go ${id}`) return { kind: "leaving" } as const
  if (mark === `back ${id}`) return { kind: "back" } as const
  const isHere = (yield* AccountStore).peek() !== undefined
  return { kind: isHere ? "there" : "empty" } as const
})

/** Keeps the present in the blob store and goes; on success the caller sees the object fail. */
const pointGo = Effect.fnUntraced(function* ({ id, bookmark }: Return) {
  const point = yield* platform
  const { did } = yield* (yield* AccountStore).get
  const { alone } = yield* AccountLock
  const going = Effect.gen(function* () {
    const before = point.mark()
    if (before !== `go ${id}` || (yield* keptOf(did, id)) === undefined) {
      point.setMark(`go ${id}`)
      yield* keep(did, id, yield* point.now)
    }
    return yield* point.goTo(bookmark)
  })
  return yield* alone(going)
})

/** Returns an object without an account to the state before. */
const pointUndo = Effect.fnUntraced(function* ({ id, did }: { readonly id: string; did: string }) {
  const point = yield* platform
  const found = yield* keptOf(did, id)
  if (found !== undefined) return yield* point.goTo(found.undo)
})

/** Puts what the account keeps into its earlier state and restarts; false if nothing was kept. */
const pointBack = Effect.fnUntraced(function* ({ id }: { readonly id: string }) {
  const point = yield* platform
  // The first read also creates this version's tables.
  const { did } = yield* (yield* AccountStore).get
  const present = yield* kept(did, id)
  if (present === undefined) return { isKept: false }
  const now = yield* Clock.currentTimeMillis
  // The mark is set in the same turn as the rows.
  ;(yield* PointRows).putBack(present, now)
  point.setMark(`back ${id}`)
  return yield* point.restart
})

/** How far revs and events rise above what was read before the object went: it may have written since. */
const margin = 1_000_000

/** How often a write of the owner may come in between. */
const attempts = 5

/** Commits above the revs before, and announces it to relays, apps and the owner. */
const pointEnd = Effect.fnUntraced(function* ({ id, at }: { readonly id: string; at: number }) {
  const { did } = yield* (yield* AccountStore).get
  const repo = yield* Repo
  const found = yield* keptOf(did, id)
  if (found === undefined) return undefined
  const above = tidFromMicros(tidToMicros(found.floor.rev) + margin, 0)
  const committing = Effect.gen(function* () {
    const { commit: expected, root, records, nodes } = yield* repo.head
    const rev = yield* repo.revAbove(above)
    return yield* repo.replace({ expected, root, rev, records, nodes, place: () => undefined })
  })
  const { rev, records } = yield* Effect.retry(committing, {
    times: attempts,
    while: ({ _tag }) => _tag === "InvalidSwap"
  }).pipe(Effect.catchTag("InvalidSwap", Effect.die))
  const note = yield* noter
  note({ kind: "data-restored", after: new Date(at).toISOString(), by: "operator" })
  const events = yield* AccountEvents
  yield* events.identity
  yield* events.account
  yield* events.sync
  yield* armSweep
  return { rev, records }
})

/** The calls of an account's object that goes back to a point in time. */
export const pointCalls = { pointBookmark, pointState, pointGo, pointUndo, pointBack, pointEnd }
