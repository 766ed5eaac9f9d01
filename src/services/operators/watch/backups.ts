import * as Effect from "effect/Effect"
import { utcMinute } from "../../../core/host/utcMinute.ts"
import { complete, type Finding } from "../../../core/operators/alerts.ts"
import type { BackupHealth } from "../../backups/backupHealth.ts"
import { Readiness } from "../../host/Readiness.ts"
import { WatchNotes } from "../WatchNotes.ts"

/** A new server has no backup yet, in milliseconds. */
const firstAfter = 36 * 3_600_000

const outcomeWords = {
  good: "was good, and none has followed",
  different: "found differences",
  failed: "broke off"
} as const

/** A reported drill is old after this long, in milliseconds. */
const drillAfter = 35 * 24 * 3_600_000

const kinds = ["backup-late", "backup-faulty", "backup-drill"] as const

/** Whether the drill that was reported last failed, or is too old; a server without drills has none. */
const lookAtDrill = (drill: BackupHealth["drill"], now: number): ReadonlyArray<Finding> => {
  if (drill === undefined) return []
  const { at, outcome } = drill
  if (outcome === "good" && now - at <= drillAfter) return []
  const detail = `The drill of ${utcMinute(at)} ${outcomeWords[outcome]}`
  return [{ kind: "backup-drill", subject: "", detail }]
}

/** When the watch began to look at this server, in milliseconds. */
const begunAt = Effect.fnUntraced(function* (now: number) {
  const notes = yield* WatchNotes
  const known = yield* notes.get("begun")
  if (typeof known === "number") return known
  yield* notes.set("begun", now)
  return now
})

/** Whether the backups are late, the newest one is damaged, or the last drill failed or is old. */
export const lookAtBackups = Effect.fnUntraced(function* (now: number) {
  const { backups } = yield* Readiness
  const health = yield* backups
  if (health === undefined) return complete(kinds, [])
  const { drill, faulty, isLate, lastEndedAt, lastGoodAt, lastOutcome } = health
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
  return complete(kinds, [...late, ...broken, ...lookAtDrill(drill, now)])
})
