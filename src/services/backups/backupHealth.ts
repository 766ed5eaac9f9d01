import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { BackupLedger, type Outcome } from "./BackupLedger.ts"
import { BackupTarget } from "./BackupTarget.ts"

/** A good backup that is older than this is late, in milliseconds. */
const lateAfter = 36 * 3_600_000

/** Runs that are looked through for a good one. */
const lookedAt = 60

/** How the server's backups are. */
export interface BackupHealth {
  /** When the newest run ended in which everything was backed up and verified, in ms. */
  readonly lastGoodAt?: number
  /** How the newest run ended, and when. */
  readonly lastOutcome?: Outcome
  readonly lastEndedAt?: number
  /** Accounts and objects that the newest run found at fault. */
  readonly faulty: number
  /** Whether there was no good run for 36 hours. */
  readonly isLate: boolean
}

/** How the server's backups are; undefined if it has no backup store, or its database can't be reached. */
export const backupHealth: Effect.Effect<BackupHealth | undefined, never, BackupLedger> =
  Effect.gen(function* () {
    if ((yield* BackupTarget) === undefined) return undefined
    const runs = yield* (yield* BackupLedger).ended(lookedAt)
    const [last] = runs
    const good = runs.find(({ outcome }) => outcome === "good")?.finishedAt
    const now = yield* Clock.currentTimeMillis
    return {
      ...(good === undefined ? {} : { lastGoodAt: good }),
      ...(last?.outcome === undefined ? {} : { lastOutcome: last.outcome }),
      ...(last?.finishedAt === undefined ? {} : { lastEndedAt: last.finishedAt }),
      faulty: (last?.totals.faulty ?? 0) + (last?.totals.failed ?? 0),
      isLate: good === undefined || now - good > lateAfter
    }
  }).pipe(Effect.orElseSucceed(() => undefined))
