import * as Effect from "effect/Effect"
import { queryValue } from "../../core/lexicon/params.ts"
import { BackupLedger, type Run } from "../../services/backups/BackupLedger.ts"
import { advanceBackup, beginBackup } from "../../services/backups/BackupRun.ts"
import { backupTarget, BackupTarget } from "../../services/backups/BackupTarget.ts"
import { DrillReport, lastDrill, noteDrill } from "../../services/backups/drill/lastDrill.ts"
import { runsInStore } from "../../services/backups/tidyBackups.ts"
import { verifyBackups } from "../../services/backups/verifyBackups.ts"
import { noteAct } from "../CurrentRequest.ts"
import { adminInput, forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

/** The part of a run that one request does; the next request continues. */
const aRequest = { millis: 20_000, operations: 400 }

/** The number of ended runs in the list. */
const listed = 50

/** A run, as the administrator sees it. */
const viewOf = ({ totals, ...run }: Run) => {
  const { accounts, changed, failed, blobs, bytes, sampled, faults, faulty } = totals
  return { ...run, accounts, changed, failed, blobs, bytes, sampled, faults, faulty }
}

/** The complete runs in the store; none if it can't be read. */
const storedRuns = Effect.orElseSucceed(
  Effect.map(runsInStore, ({ whole }) => whole),
  () => []
)

/**
 * GET `/admin/backups`: the store, the current run, the last ones that ended, and the last reported drill; without a run
 * of its own, also those in the store.
 */
export const listBackups = Effect.fn("http.listBackups")(function* (request: Request) {
  yield* forAdministrator(request, "admin/backups")
  const ledger = yield* BackupLedger
  const open = yield* ledger.open
  const runs = yield* ledger.ended(listed)
  const drill = yield* lastDrill
  const isNew = (yield* BackupTarget) !== undefined && open === undefined && runs.length === 0
  return ownAnswer({
    store: (yield* BackupTarget)?.name ?? null,
    ...(open === undefined ? {} : { open: viewOf(open) }),
    ...(drill === undefined ? {} : { drill }),
    ...(isNew ? { stored: yield* storedRuns } : {}),
    runs: runs.map(viewOf)
  })
})

/**
 * Starts a run, or continues the named one, for as long as one request may take; returns the run, and when another
 * caller's lease of it ends.
 */
export const backUpPart = Effect.fn("http.backUpPart")(function* (wanted?: string) {
  yield* backupTarget
  const ledger = yield* BackupLedger
  const { run } = wanted === undefined ? yield* beginBackup() : { run: wanted }
  const open = yield* ledger.open
  const advanced = open?.run === run ? yield* advanceBackup(aRequest) : undefined
  return { run: yield* ledger.run(run), heldUntil: advanced?.heldUntil }
})

/**
 * POST `/admin/backups`: starts a run, or continues the one named by `run`; the response has its progress, and `heldUntil`
 * while another caller works on it.
 */
export const makeBackup = Effect.fn("http.makeBackup")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/backups")
  const { run, heldUntil } = yield* backUpPart(queryValue(url.searchParams, "run"))
  return ownAnswer({
    run: run === undefined ? null : viewOf(run),
    ...(heldUntil === undefined ? {} : { heldUntil })
  })
})

/** POST `/admin/backups/drill`: keeps a drill's result; the response repeats it with its time. */
export const reportDrill = Effect.fn("http.reportDrill")(function* (request: Request) {
  yield* forAdministrator(request, "admin/backups")
  const report = yield* adminInput(request, DrillReport, "The result of a drill is needed")
  yield* noteAct({ after: { outcome: report.outcome, faulty: report.faulty } })
  return ownAnswer(yield* noteDrill(report))
})

/** POST `/admin/backups/verify?after=`: reads back the complete newest backups of the accounts after this DID. */
export const verifyBackup = Effect.fn("http.verifyBackup")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/backups")
  yield* backupTarget
  return ownAnswer(yield* verifyBackups(queryValue(url.searchParams, "after") ?? "", aRequest))
})
