import * as Effect from "effect/Effect"
import { phases, type Run } from "./BackupLedger.ts"
import type { Budget } from "./Budget.ts"
import { withFaults } from "./totals.ts"

/** Accounts read from the ledger at a time. */
const accountsAtOnce = 50

/** The run at the start of its next phase. */
export const nextPhase = (run: Run): Run => ({
  ...run,
  phase: phases[phases.indexOf(run.phase) + 1] ?? "done",
  cursor: "",
  attempts: 0
})

/** The result for one account: unchanged, completed, or partly done. */
export interface Used {
  readonly run: Run
  readonly kind: "nothing" | "done" | "part"
}

/**
 * A phase that goes through accounts in the order of their DIDs.
 *
 * A step skips unchanged accounts and ends after the first one that changed, to save the progress. A run records an
 * account that keeps failing as a fault and skips it.
 */
export const eachAccount = <A extends { readonly did: string }, E, R, E2, R2>(
  list: (after: string, limit: number) => Effect.Effect<ReadonlyArray<A>, E, R>,
  use: (run: Run, account: A, budget: Budget) => Effect.Effect<Used, E2, R2>,
  passOver: (run: Run) => Run = (run) => run
) => ({
  go: Effect.fnUntraced(function* (run: Run, budget: Budget) {
    budget.spend(1)
    const accounts = yield* list(run.cursor, accountsAtOnce)
    if (accounts.length === 0) return nextPhase(run)
    let at = run
    for (const account of accounts) {
      const using = use(at, account, budget)
      // The accounts before a failure are done. The next step starts with the failed one and reports it.
      const used: Used | undefined =
        at === run ? yield* using : yield* Effect.orElseSucceed(using, () => undefined)
      if (used === undefined) return at
      if (used.kind === "part") return { ...used.run, attempts: 0 }
      at = { ...used.run, cursor: account.did, attempts: 0 }
      if (used.kind === "done" || (yield* budget.isSpent)) return at
    }
    return at
  }),
  pass: Effect.fnUntraced(function* (run: Run, problem: string) {
    const [account] = yield* list(run.cursor, 1)
    if (account === undefined) return nextPhase(run)
    const { did } = account
    const totals = withFaults(run.totals, [{ did, problem }])
    return passOver({ ...run, cursor: did, attempts: 0, totals })
  })
})
