import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { WatchNotes } from "../operators/WatchNotes.ts"
import { BackupLedger, type Outcome } from "./BackupLedger.ts"
import { BackupTarget } from "./BackupTarget.ts"
import { type DrillReport, lastDrill } from "./drill/lastDrill.ts"

/** Without a good run for this long, the backup is late; in milliseconds. */
const lateAfter = 36 * 3_600_000

/** The number of runs searched for a good one. */
const lookedAt = 60

/** The health of the server's backups. */
export interface BackupHealth {
  /** When the last run ended that backed up and verified everything, in ms. */
  readonly lastGoodAt?: number
  /** How the newest run ended, and when. */
  readonly lastOutcome?: Outcome
  readonly lastEndedAt?: number
  /** The number of accounts and objects that failed in the newest run. */
  readonly faulty: number
  /** Whether the last good run is more than 36 hours ago. */
  readonly isLate: boolean
  /** The drill that was reported last, and when, in ms. */
  readonly drill?: { readonly at: number; readonly outcome: DrillReport["outcome"] }
}

/** The health of the server's backups; undefined without a backup store, or if the database is unavailable. */
export const backupHealth: Effect.Effect<
  BackupHealth | undefined,
  never,
  BackupLedger | WatchNotes
> = Effect.gen(function* () {
  if ((yield* BackupTarget) === undefined) return undefined
  const runs = yield* (yield* BackupLedger).ended(lookedAt)
  const [last] = runs
  const good = runs.find(({ outcome }) => outcome === "good")?.finishedAt
  const now = yield* Clock.currentTimeMillis
  const drill = yield* lastDrill
  return {
    ...(good === undefined ? {} : { lastGoodAt: good }),
    ...(last?.outcome === undefined ? {} : { lastOutcome: last.outcome }),
    ...(last?.finishedAt === undefined ? {} : { lastEndedAt: last.finishedAt }),
    faulty: last?.totals.faulty ?? 0,
    isLate: good === undefined || now - good > lateAfter,
    ...(drill === undefined ? {} : { drill: { at: drill.at, outcome: drill.outcome } })
  }
}).pipe(Effect.orElseSucceed(() => undefined))
