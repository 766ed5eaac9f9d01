import * as Effect from "effect/Effect"
import { backUpNightly } from "../backups/BackupRun.ts"

/** The jobs of the cron trigger. */
const jobs = [{ name: "backup", run: backUpNightly({ millis: 240_000, operations: 700 }) }] as const

/** Runs the jobs one by one; logs a failing job and continues. */
export const runJobs = Effect.forEach(
  jobs,
  ({ name, run }) =>
    Effect.catchCause(run, (cause) => Effect.logError("a cron job failed", { name }, cause)),
  { discard: true }
)
