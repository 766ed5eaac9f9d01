import * as Effect from "effect/Effect"
import { backUpNightly } from "../backups/BackupRun.ts"

/** What the cron trigger starts. */
const jobs = [{ name: "backup", run: backUpNightly({ millis: 240_000, operations: 700 }) }] as const

/** Runs the jobs one after the other; a job that fails is logged and doesn't keep the next from running. */
export const runJobs = Effect.forEach(
  jobs,
  ({ name, run }) =>
    Effect.catchCause(run, (cause) => Effect.logError("a cron job failed", { name }, cause)),
  { discard: true }
)
