import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HistoryEntry, HistoryEvent, RefusedWay } from "../../core/accounts/history.ts"
import { clientName } from "../../core/sessions/clientName.ts"
import type { SeenFrom } from "../../core/sessions/seenFrom.ts"
import { AccountStore } from "./AccountStore.ts"
import { RequestOrigin } from "../host/RequestOrigin.ts"

/** A page of the history, newest first; `cursor` is the `before` of the next one. */
export interface HistoryPage {
  readonly entries: ReadonlyArray<HistoryEntry>
  readonly cursor?: number
}

/**
 * What happened to this object's account: sign-ins from new devices and apps, refused ones in sums
 * a day, changes of security settings, moderation.
 *
 * Bounded: the oldest entries go. `note` and `signedIn` are synchronous, for the transaction of the
 * change that they tell.
 */
export class AccountHistory extends Context.Service<
  AccountHistory,
  {
    note(event: HistoryEvent, now: number): void
    /** Notes a sign-in, unless its device or app is known. */
    signedIn(event: HistoryEvent, now: number): void
    /** Counts a refused sign-in in its day's entry. */
    refused(way: RefusedWay, now: number): void
    page(page: { readonly before?: number; readonly limit: number }): HistoryPage
    /** The newest refused attempts that are not older than this time. */
    refusedSince(time: number): Readonly<Partial<Record<RefusedWay, number>>>
    /** Whether entries wait that the server has to mail to the owner. */
    hasUnsent(): boolean
    /** Takes the entries that the server has to mail to the owner. */
    takeUnsent(): ReadonlyArray<HistoryEntry>
    /** Forgets what is in memory, after the tables were emptied. */
    forget(): void
  }
>()("nacre/services/AccountHistory") {}

/** A client and its place, as an entry names them. */
export const seenAs = ({ userAgent, place }: SeenFrom) => {
  const client = clientName(userAgent)
  return {
    ...(client === undefined ? {} : { client }),
    ...(place === undefined ? {} : { place })
  }
}

/** The part of an event that comes from the current request: client and place, or that an operator did it. */
const requestNotes = Effect.map(RequestOrigin, ({ from, operator }) =>
  operator === undefined ? seenAs(from) : ({ by: "operator" } as const)
)

/**
 * Returns a function that notes an event of the current request, for the transaction of its change.
 */
export const noter = Effect.gen(function* () {
  const history = yield* AccountHistory
  const now = yield* Clock.currentTimeMillis
  const origin = yield* requestNotes
  return (event: HistoryEvent) =>
    history.note(event.by === undefined ? { ...origin, ...event } : event, now)
})

/** Counts a refused sign-in to this object's account, if it has one. */
export const countRefused = Effect.fnUntraced(function* (way: RefusedWay) {
  if ((yield* AccountStore).peek() === undefined) return
  const now = yield* Clock.currentTimeMillis
  const history = yield* AccountHistory
  history.refused(way, now)
})
