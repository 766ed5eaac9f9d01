import * as Effect from "effect/Effect"
import { utcMinute } from "../../../core/host/utcMinute.ts"
import { complete, type Finding } from "../../../core/operators/alerts.ts"
import { Readiness } from "../../host/Readiness.ts"
import { WatchNotes } from "../WatchNotes.ts"

/** A new server has no backup yet, in milliseconds. */
const firstAfter = 36 * 3_600_000

/** When the watch began to look at this server, in milliseconds. */
const begunAt = Effect.fnUntraced(function* (now: number) {
  const notes = yield* WatchNotes
  const known = yield* notes.get("begun")
  if (typeof known === "number") return known
  yield* notes.set("begun", now)
  return now
})

/** Whether the backups are late, or the newest one is damaged. */
export const lookAtBackups = Effect.fnUntraced(function* (now: number) {
  const { backups } = yield* Readiness
  const health = yield* backups
  if (health === undefined) return complete(["backup-late", "backup-faulty"], [])
  const { faulty, isLate, lastEndedAt, lastGoodAt, lastOutcome } = health
  const isNew = lastGoodAt === undefined && now - (yield* begunAt(now)) < firstAfter
  const late: ReadonlyArray<Finding> =
    isLate && !isNew
      ? [
          {
            kind: "backup-late",
            subject: "",
            detail:
              lastGoodAt === undefined
                ? "There is no good backup yet"
                : `The last good backup ended at ${utcMinute(lastGoodAt)}`
          }
        ]
      : []
  const isFaulty = faulty > 0 || (lastOutcome !== undefined && lastOutcome !== "good")
  const broken: ReadonlyArray<Finding> = isFaulty
    ? [
        {
          kind: "backup-faulty",
          subject: "",
          detail: `The backup of ${utcMinute(lastEndedAt ?? now)} is ${lastOutcome ?? "incomplete"}, with ${faulty} faults`
        }
      ]
    : []
  return complete(["backup-late", "backup-faulty"], [...late, ...broken])
})
