import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { AccountEntry, RunManifest } from "../../core/backups/manifests.ts"
import { accountPrefix, accountsPageKey, hostPageKey, runKey } from "../../core/backups/places.ts"
import { encodeTables } from "../../core/backups/rows.ts"
import { Config } from "../host/Config.ts"
import { version } from "../../core/host/version.ts"
import { Sequencer } from "../stream/Sequencer.ts"
import { backUpAccount, deleteBelow } from "./backUpAccount.ts"
import { BackupLedger, type Phase, type Run, type Totals } from "./BackupLedger.ts"
import type { Budget } from "./Budget.ts"
import { eachAccount, nextPhase, type Used } from "./eachAccount.ts"
import { HostRows } from "./HostRows.ts"
import { putManifest, putSealed } from "./objects.ts"
import { sampleAccount } from "./sampleBackups.ts"
import { tidyAccount, tidyRuns } from "./tidyBackups.ts"
import { withFaults } from "./totals.ts"
import { verifyRun } from "./verifyBackups.ts"

/** Accounts in a page of a run. */
const accountsAPage = 1000

const day = 86_400_000

const counted = (run: Run, more: Partial<Totals>): Run => ({
  ...run,
  totals: { ...run.totals, ...more }
})

const ledger = <A, E, R>(use: (ledger: BackupLedger["Service"]) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(BackupLedger, use)

/** Backs up every account of the server that has changed. */
const accounts = eachAccount(
  (after, limit) => ledger(({ accounts: list }) => list(after, limit)),
  Effect.fnUntraced(function* (run, account, budget) {
    const { totals } = run
    const result = yield* backUpAccount(run.run, account, budget)
    const seen = totals.accounts + 1
    if (result.kind === "unchanged") {
      return { run: counted(run, { accounts: seen }), kind: "nothing" } satisfies Used
    }
    const copied = {
      blobs: totals.blobs + result.blobs,
      bytes: totals.bytes + result.bytes
    }
    if (result.kind === "more") return { run: counted(run, copied), kind: "part" } satisfies Used
    yield* ledger(({ note }) => note(account.did, result.backed))
    const after = { ...withFaults(totals, result.faults), ...copied }
    return {
      run: { ...run, totals: { ...after, accounts: seen, changed: totals.changed + 1 } },
      kind: "done"
    } satisfies Used
  }),
  (run) => counted(run, { accounts: run.totals.accounts + 1, failed: run.totals.failed + 1 })
)

/** A phase that a restore depends on: the run fails rather than skip it. */
const needed = <E, R>(go: (run: Run, budget: Budget) => Effect.Effect<Run, E, R>) => ({
  go,
  pass: Effect.fnUntraced(function* (run: Run, problem: string) {
    const finishedAt = yield* Clock.currentTimeMillis
    const totals = withFaults(run.totals, [{ problem }])
    return { ...run, finishedAt, outcome: "failed", totals } satisfies Run
  })
})

/** Seals the host's rows that don't belong to an account, one page per step. */
const host = needed(
  Effect.fnUntraced(function* (run: Run, budget: Budget) {
    budget.spend(2)
    const { rows, cursor } = yield* (yield* HostRows).page(run.cursor)
    const { host: before } = run.totals
    const stored = yield* putSealed(hostPageKey(run.run, before.length + 1), encodeTables(rows))
    const after = counted(run, { host: [...before, stored] })
    return cursor === undefined ? nextPhase(after) : { ...after, cursor, attempts: 0 }
  })
)

/** Lists the run's accounts with their versions, one page per step. */
const pages = needed(
  Effect.fnUntraced(function* (run: Run, budget: Budget) {
    budget.spend(2)
    const backed = yield* ledger(({ backed: list }) => list(run.cursor, accountsAPage))
    const last = backed.at(-1)
    if (last === undefined) return nextPhase(run)
    const { pages: before } = run.totals
    const entries = backed.map(({ did, version: one }): AccountEntry => ({ did, version: one }))
    const stored = yield* putManifest(accountsPageKey(run.run, before.length + 1), entries)
    const after = counted(run, { pages: [...before, stored] })
    return { ...after, cursor: last.did, attempts: 0 }
  })
)

/** Writes the run's manifest, which makes the run restorable. */
const close = needed(
  Effect.fnUntraced(function* (run: Run, budget: Budget) {
    budget.spend(2)
    const { publicUrl } = yield* Config
    const { seq } = yield* (yield* Sequencer).status
    const now = yield* Clock.currentTimeMillis
    const { totals } = run
    const manifest: RunManifest = {
      type: "nacre-backup-run",
      version: 1,
      run: run.run,
      server: publicUrl,
      software: version,
      startedAt: new Date(run.startedAt).toISOString(),
      finishedAt: new Date(now).toISOString(),
      accounts: totals.accounts,
      changed: totals.changed,
      seq,
      pages: totals.pages,
      host: totals.host,
      faults: totals.faults
    }
    yield* putManifest(runKey(run.run), manifest)
    return nextPhase(run)
  })
)

/** Deletes the backups of accounts that were deleted long enough ago. */
const gone = eachAccount(
  (after, limit) => ledger(({ gone: list }) => list(after, limit)),
  Effect.fnUntraced(function* (run, { did, goneAt }) {
    const { backupDeletedDays } = yield* Config
    const now = yield* Clock.currentTimeMillis
    if (goneAt === undefined && backupDeletedDays > 0) {
      yield* ledger(({ noteGone }) => noteGone(did, now))
      return { run, kind: "nothing" } satisfies Used
    }
    if (now - (goneAt ?? 0) < backupDeletedDays * day)
      return { run, kind: "nothing" } satisfies Used
    yield* deleteBelow(accountPrefix(did))
    yield* ledger(({ forget }) => forget(did))
    return { run, kind: "done" } satisfies Used
  })
)

/** Reads back a part of the earlier runs' objects. */
const sample = eachAccount(
  (after, limit) => ledger(({ backed: list }) => list(after, limit)),
  Effect.fnUntraced(function* (run, { did, ...backed }, budget) {
    const turn = yield* ledger(({ count }) => count)
    const { sampled, faults, isSound } = yield* sampleAccount(did, backed, turn, budget)
    if (!isSound) yield* ledger(({ note }) => note(did, { ...backed, stamp: "" }))
    const totals = withFaults(run.totals, faults)
    return {
      run: { ...run, totals: { ...totals, sampled: totals.sampled + sampled } },
      kind: faults.length === 0 ? "nothing" : "done"
    } satisfies Used
  })
)

/** Deletes versions beyond the retention. */
const tidy = eachAccount(
  (after, limit) => ledger(({ backed: list }) => list(after, limit)),
  Effect.fnUntraced(function* (run, { did, ...backed }, budget) {
    if (backed.versions < 2) return { run, kind: "nothing" } satisfies Used
    budget.spend(5)
    const versions = yield* tidyAccount(did, backed.version)
    yield* ledger(({ note }) => note(did, { ...backed, versions }))
    return { run, kind: "done" } satisfies Used
  })
)

/** Deletes runs beyond the retention, reads back the run's own objects, and ends it. */
const done = {
  go: Effect.fnUntraced(function* (run: Run, budget: Budget) {
    budget.spend(3)
    yield* tidyRuns
    const { faults } = yield* verifyRun(run.run, budget)
    const totals = withFaults(run.totals, faults)
    const outcome = totals.failed + totals.faulty === 0 ? "good" : "incomplete"
    return { ...run, finishedAt: yield* Clock.currentTimeMillis, outcome, totals } satisfies Run
  }),
  pass: Effect.fnUntraced(function* (run: Run, problem: string) {
    const finishedAt = yield* Clock.currentTimeMillis
    const totals = withFaults(run.totals, [{ problem }])
    return { ...run, finishedAt, outcome: "incomplete", totals } satisfies Run
  })
}

const steps = { accounts, host, pages, close, gone, sample, tidy, done }

type Steps = (typeof steps)[Phase]
type Made = ReturnType<Steps["go"]> | ReturnType<Steps["pass"]>

/** A phase of a run: one step of it, and how the run skips a step that keeps failing. */
export interface Step {
  go(run: Run, budget: Budget): Effect.Effect<Run, Effect.Error<Made>, Effect.Services<Made>>
  pass(run: Run, problem: string): Effect.Effect<Run, Effect.Error<Made>, Effect.Services<Made>>
}

/** The steps of a phase. */
export const stepOf = (phase: Phase): Step => steps[phase]
