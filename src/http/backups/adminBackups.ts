import * as Effect from "effect/Effect"
import { queryValue } from "../../core/lexicon/params.ts"
import { BackupLedger, type Run } from "../../services/backups/BackupLedger.ts"
import { advanceBackup, beginBackup } from "../../services/backups/BackupRun.ts"
import { backupTarget, BackupTarget } from "../../services/backups/BackupTarget.ts"
import { verifyBackups } from "../../services/backups/verifyBackups.ts"
import { forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

/** The part of a run that one request does; the next request continues. */
const aRequest = { millis: 20_000, operations: 400 }

/** The number of ended runs in the list. */
const listed = 50

/** A run, as the administrator sees it. */
const viewOf = ({ totals, ...run }: Run) => {
  const { accounts, changed, failed, blobs, bytes, sampled, faults, faulty } = totals
  return { ...run, accounts, changed, failed, blobs, bytes, sampled, faults, faulty }
}

/** GET `/admin/backups`: the store, the current run, and the last ones that ended. */
export const listBackups = Effect.fn("http.listBackups")(function* (request: Request) {
  yield* forAdministrator(request, "admin/backups")
  const ledger = yield* BackupLedger
  const open = yield* ledger.open
  const runs = yield* ledger.ended(listed)
  return ownAnswer({
    store: (yield* BackupTarget)?.name ?? null,
    ...(open === undefined ? {} : { open: viewOf(open) }),
    runs: runs.map(viewOf)
  })
})

/** Starts a run, or continues the named one, for as long as one request may take; returns the run. */
export const backUpPart = Effect.fn("http.backUpPart")(function* (wanted?: string) {
  yield* backupTarget
  const ledger = yield* BackupLedger
  const { run } = wanted === undefined ? yield* beginBackup() : { run: wanted }
  const open = yield* ledger.open
  if (open?.run === run) yield* advanceBackup(aRequest)
  return yield* ledger.run(run)
})

/** POST `/admin/backups`: starts a run, or continues the one named by `run`; the response has its progress. */
export const makeBackup = Effect.fn("http.makeBackup")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/backups")
  const now = yield* backUpPart(queryValue(url.searchParams, "run"))
  return ownAnswer({ run: now === undefined ? null : viewOf(now) })
})

/** POST `/admin/backups/verify?after=`: reads back the complete newest backups of the accounts after this DID. */
export const verifyBackup = Effect.fn("http.verifyBackup")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/backups")
  yield* backupTarget
  return ownAnswer(yield* verifyBackups(queryValue(url.searchParams, "after") ?? "", aRequest))
})
