import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AccountList, type Fault, Mark, RunManifest } from "../../core/backups/manifests.ts"
import { markKey, runKey } from "../../core/backups/places.ts"
import { BackupLedger } from "./BackupLedger.ts"
import { Budget } from "./Budget.ts"
import { damageCounter, getBytes, getManifest, getSealed } from "./objects.ts"
import { sampleAccount } from "./sampleBackups.ts"

/** Accounts read from the ledger at a time. */
const accountsAtOnce = 50

/** Reads back the objects of a run that don't belong to an account, and the store's mark. */
export const verifyRun = Effect.fn("verifyRun")(function* (run: string, budget: Budget) {
  const { state, noting } = damageCounter()
  yield* noting(getManifest(markKey, Mark))
  const manifest = yield* noting(getManifest(runKey(run), RunManifest))
  const { pages, host } = manifest ?? { pages: [], host: [] }
  budget.spend(2 + 2 * pages.length + host.length)
  for (const page of pages) {
    yield* noting(Effect.andThen(getBytes(page), getManifest(page.key, AccountList)))
  }
  for (const page of host) yield* noting(getSealed(page))
  return state
})

/** The newest run that a server could be restored from. */
const newestRun = Effect.fnUntraced(function* (ledger: BackupLedger["Service"]) {
  const ended = yield* ledger.ended(400)
  return ended.find(({ outcome }) => outcome !== "failed")?.run
})

/**
 * Reads back every object of the newest backup of the server, a part per call: with an empty `after` its own objects,
 * then the newest backups of the accounts after this DID, until the budget is spent.
 *
 * If damage can't be repaired, the next run backs up that account again.
 */
export const verifyBackups = Effect.fn("verifyBackups")(function* (
  after: string,
  limits: { readonly millis: number; readonly operations: number }
) {
  const ledger = yield* BackupLedger
  const budget = new Budget({
    ...limits,
    until: (yield* Clock.currentTimeMillis) + limits.millis
  })
  const faults: Array<Fault> = []
  let cursor = after
  let accounts = 0
  let objects = 0
  const run = after === "" ? yield* newestRun(ledger) : undefined
  if (run !== undefined) {
    const verified = yield* verifyRun(run, budget)
    faults.push(...verified.faults)
    objects += verified.sound
  }
  while (true) {
    const page = yield* ledger.backed(cursor, accountsAtOnce)
    if (page.length === 0) return { accounts, objects, faults }
    for (const { did, ...backed } of page) {
      const sample = yield* sampleAccount(did, backed, "all", budget)
      if (!sample.isSound) yield* ledger.note(did, { ...backed, stamp: "" })
      faults.push(...sample.faults)
      objects += sample.sampled
      accounts += 1
      cursor = did
      if (yield* budget.isSpent) return { accounts, objects, faults, after: cursor }
    }
  }
})
