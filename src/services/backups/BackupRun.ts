import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Mark } from "../../core/backups/manifests.ts"
import { markKey, runId } from "../../core/backups/places.ts"
import { Config } from "../host/Config.ts"
import { BackupLedger, type Run } from "./BackupLedger.ts"
import { BackupDamaged, BackupTarget, RestoreFirst } from "./BackupTarget.ts"
import { Budget } from "./Budget.ts"
import { findManifest, putManifest } from "./objects.ts"
import { stepOf } from "./steps.ts"
import { newestFilledRun } from "./tidyBackups.ts"
import { withFaults } from "./totals.ts"

/** The lease's length, in milliseconds. */
const leaseMillis = 120_000

/** The number of attempts before the run skips a step. */
const attempts = 3

/** The longest time that a run may take, in milliseconds, before the next one replaces it. */
const givenUpAfter = 23 * 3_600_000

/** The id of the store, if it has one; fails for another server's store. */
export const storeId = Effect.gen(function* () {
  const { publicUrl } = yield* Config
  const mark = yield* findManifest(markKey, Mark)
  if (mark === undefined || mark.server === publicUrl) return mark?.id
  const problem = `says that this store holds the backups of ${mark.server}, not of ${publicUrl}`
  return yield* new BackupDamaged({ key: markKey, problem })
})

/** Gives the store an id of this server's. */
export const markStore = Effect.gen(function* () {
  const id = randomUUID()
  const { publicUrl: server } = yield* Config
  yield* putManifest(markKey, { type: "nacre-backup", version: 1, id, server })
  return id
})

/**
 * Checks that the store belongs to this server and that the ledger describes this store.
 *
 * With a new empty store, the ledger starts again. Fails for another server's store, and if the
 * database is new but the store has backups: the backup of an empty server would be the newest.
 */
const claim = Effect.gen(function* () {
  const ledger = yield* BackupLedger
  const known = yield* ledger.mark
  const found = yield* storeId
  if (found !== undefined && found === known) return
  if (known === undefined) {
    // A store that has lost its mark keeps its backups.
    const newest = yield* newestFilledRun
    if (newest !== undefined && newest.accounts > 0) return yield* new RestoreFirst(newest)
  }
  const id = found ?? (yield* markStore)
  yield* ledger.reset
  yield* ledger.setMark(id)
})

/** Starts a run unless there is a current one; returns the current run. */
export const beginBackup = Effect.fn("beginBackup")(function* () {
  yield* claim
  const now = yield* Clock.currentTimeMillis
  const ledger = yield* BackupLedger
  let named = now
  let run = yield* ledger.begin(runId(named), now)
  // A run's name is its second: a second run in it takes the name of the next one.
  while (run.outcome !== undefined) {
    named += 1000
    run = yield* ledger.begin(runId(named), now)
  }
  return run
})

const failureText = (failure: { readonly _tag: string; readonly message?: string }): string =>
  failure.message === undefined || failure.message === "" ? failure._tag : failure.message

/** Runs one step; skips a step that failed too often, and records it as a fault. */
const step = Effect.fnUntraced(function* (run: Run, budget: Budget) {
  const { go, pass } = stepOf(run.phase)
  const begun = { ...run, attempts: run.attempts + 1 }
  return yield* go(begun, budget).pipe(
    Effect.map((next) => ({ run: next, isHeldUp: false })),
    Effect.catch(
      Effect.fnUntraced(function* (failure) {
        const problem = failureText(failure)
        const { phase, cursor } = run
        yield* Effect.logWarning("a step of a backup failed", { phase, cursor, problem })
        if (begun.attempts < attempts) return { run: begun, isHeldUp: true }
        return { run: yield* pass(begun, problem), isHeldUp: false }
      })
    )
  )
})

/** The result of `advanceBackup`. */
export interface Advanced {
  readonly run: Run
  /** When another caller's lease of the run ends unless it works on, in ms; undefined without another caller. */
  readonly heldUntil: number | undefined
}

/**
 * Continues the current run until it ends or the budget is spent.
 *
 * Progress is saved after each step, so the next call continues after an interruption. Only one caller at a time works.
 */
export const advanceBackup = Effect.fn("advanceBackup")(function* (limits: {
  readonly millis: number
  readonly operations: number
}) {
  const ledger = yield* BackupLedger
  const started = yield* Clock.currentTimeMillis
  const open = yield* ledger.open
  if (open === undefined) return undefined
  const holder = randomUUID()
  const heldUntil = yield* ledger.lease(open.run, holder, started, started + leaseMillis)
  if (heldUntil !== undefined) return { run: open, heldUntil } satisfies Advanced
  const budget = new Budget({ ...limits, until: started + limits.millis })
  const work = Effect.gen(function* () {
    // Another holder may have continued it between the read and the lease.
    let run = (yield* ledger.open) ?? open
    while (run.outcome === undefined) {
      const now = yield* Clock.currentTimeMillis
      const isLate = now - run.startedAt > givenUpAfter
      const done = isLate
        ? {
            run: {
              ...run,
              finishedAt: now,
              outcome: "failed" as const,
              totals: withFaults(run.totals, [{ problem: "it took longer than a day" }])
            },
            isHeldUp: false
          }
        : yield* step(run, budget)
      run = done.run
      const after = yield* Clock.currentTimeMillis
      if (!(yield* ledger.save(run, holder, after + leaseMillis))) {
        return { run, heldUntil: after + leaseMillis } satisfies Advanced
      }
      if (done.isHeldUp || (yield* budget.isSpent)) break
    }
    return { run, heldUntil: undefined } satisfies Advanced
  })
  return yield* Effect.ensuring(work, Effect.ignore(ledger.release(open.run, holder)))
})

const day = 86_400_000

/** Whether the nightly run is due: its time of day has passed since the last run started. */
const isDue = Effect.gen(function* () {
  const { backupAt } = yield* Config
  const now = yield* Clock.currentTimeMillis
  const midnight = now - (now % day)
  const today = midnight + backupAt * 60_000
  const last = today <= now ? today : today - day
  const [newest] = yield* (yield* BackupLedger).ended(1)
  return newest === undefined || newest.startedAt < last
})

/** Starts the nightly run when it is due, and continues the current run; for the cron handler. */
export const backUpNightly = Effect.fn("backUpNightly")(function* (limits: {
  readonly millis: number
  readonly operations: number
}) {
  if ((yield* BackupTarget) === undefined) return
  const open = yield* (yield* BackupLedger).open
  if (open === undefined) {
    if (!(yield* isDue)) return
    yield* beginBackup()
  }
  yield* advanceBackup(limits)
})
