import * as Effect from "effect/Effect"
import { queryValue } from "../../core/lexicon/params.ts"
import { BackupLedger, type Run } from "../../services/backups/BackupLedger.ts"
import { advanceBackup, beginBackup } from "../../services/backups/BackupRun.ts"
import { backupTarget, BackupTarget } from "../../services/backups/BackupTarget.ts"
import { verifyBackups } from "../../services/backups/verifyBackups.ts"
import { forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

/** What one request does of a run: the next request does more. */
const aRequest = { millis: 20_000, operations: 400 }

/** How many runs are listed. */
const listed = 50

/** A run, as the administrator sees it. */
const viewOf = ({ totals, ...run }: Run) => {
  const { accounts, changed, failed, blobs, bytes, sampled, faults, faulty } = totals
  return { ...run, accounts, changed, failed, blobs, bytes, sampled, faults, faulty }
}

/** GET `/admin/backups`: the store, the run that is under way, and those that have ended. */
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

/** POST `/admin/backups`: begins a run, or with `run` continues that one; the response says how far it is. */
export const makeBackup = Effect.fn("http.makeBackup")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/backups")
  yield* backupTarget
  const ledger = yield* BackupLedger
  const wanted = queryValue(url.searchParams, "run")
  const { run } = wanted === undefined ? yield* beginBackup() : { run: wanted }
  const open = yield* ledger.open
  if (open?.run === run) yield* advanceBackup(aRequest)
  const now = yield* ledger.run(run)
  return ownAnswer({ run: now === undefined ? null : viewOf(now) })
})

/** POST `/admin/backups/verify?after=`: reads back the newest backups of the accounts after this DID, all of each. */
export const verifyBackup = Effect.fn("http.verifyBackup")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/backups")
  yield* backupTarget
  return ownAnswer(yield* verifyBackups(queryValue(url.searchParams, "after") ?? "", aRequest))
})
