import * as Effect from "effect/Effect"
import { utcMinute } from "../../../core/host/utcMinute.ts"
import { complete } from "../../../core/operators/alerts.ts"
import { Backlog, type BacklogTotal } from "../../stream/Backlog.ts"
import { WatchNotes } from "../WatchNotes.ts"

/** An outbox that still doesn't drain is noted more often than this, in milliseconds. */
const fresh = 25 * 60_000

/** Whether outboxes don't drain. */
export const lookAtBacklog = Effect.fnUntraced(function* (now: number) {
  const backlog = yield* Backlog
  const total = backlog === undefined ? undefined : yield* backlog.total(now - fresh)
  yield* (yield* WatchNotes).set("backlog", total ?? null)
  if (total === undefined) return complete(["outbox-backlog"], [])
  const { accounts, events, since } = total
  const detail = `${events} events of ${accounts} accounts wait, the oldest since ${utcMinute(since)}`
  return complete(["outbox-backlog"], [{ kind: "outbox-backlog", subject: "", detail }])
})

/** The outboxes that didn't drain at the last look. */
export const backlogReport = Effect.map(
  Effect.flatMap(WatchNotes, (notes) => notes.get("backlog")),
  // SAFETY: `lookAtBacklog` wrote it from a value of this type, or null.
  (note) => (note ?? undefined) as BacklogTotal | undefined
)
