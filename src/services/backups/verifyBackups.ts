import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Fault } from "../../core/backups/manifests.ts"
import { BackupLedger } from "./BackupLedger.ts"
import { Budget } from "./Budget.ts"
import { sampleAccount } from "./sampleBackups.ts"

/** Accounts read from the ledger at a time. */
const accountsAtOnce = 50

/**
 * Reads back every object of the newest backups of the accounts after a DID, until the budget is spent.
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
