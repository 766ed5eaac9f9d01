import * as Effect from "effect/Effect"
import { phases, type Run } from "./BackupLedger.ts"
import type { Budget } from "./Budget.ts"
import { withFaults } from "./totals.ts"

/** Accounts asked of the ledger at a time. */
const accountsAtOnce = 50

/** The run at the beginning of its next phase. */
export const nextPhase = (run: Run): Run => ({
  ...run,
  phase: phases[phases.indexOf(run.phase) + 1] ?? "done",
  cursor: "",
  attempts: 0
})

/** What was done about an account: nothing worth writing down, all of it, or a part. */
export interface Used {
  readonly run: Run
  readonly kind: "nothing" | "done" | "part"
}

/**
 * A phase that goes through accounts in the order of their DIDs.
 *
 * A step ends with the first account about which something was done, so that it is written down; accounts about which
 * there is nothing to do pass many in a step. An account that keeps breaking off is named among the faults and passed over.
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
      // What comes before a failure is done: the step that begins with the failure tells it.
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
