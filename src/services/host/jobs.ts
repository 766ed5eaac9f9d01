import * as Effect from "effect/Effect"
import { backUpNightly } from "../backups/BackupRun.ts"
import { completeReturns } from "../backups/pointInTime/restoreAt.ts"
import { continueAnnouncements } from "../mail/announce.ts"
import { flushCounters } from "../operators/Counters.ts"
import { countHourly } from "../operators/HostCounts.ts"
import { notePastHours } from "../operators/pastHours.ts"
import { sumStorage } from "../operators/watch/storage.ts"
import { watch } from "../operators/watch/watch.ts"

/** A job that logs its failure; the next one runs anyway. */
const job = <E, R>(name: string, run: Effect.Effect<void, E, R>): Effect.Effect<void, never, R> =>
  Effect.catchCause(run, (cause) => Effect.logError("a cron job failed", { name }, cause))

/** Runs the jobs of the cron trigger one by one; logs a failing job and continues. */
export const runJobs = Effect.all(
  [
    job("counts", countHourly),
    job("hours", notePastHours),
    job("sums", flushCounters),
    job("returns", completeReturns),
    job("watch", watch),
    job("storage", sumStorage),
    job("announcements", continueAnnouncements({ mails: 50, millis: 60_000 })),
    job("backup", backUpNightly({ millis: 240_000, operations: 700 }))
  ],
  { discard: true }
)
