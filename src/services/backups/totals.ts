import type { Fault } from "../../core/backups/manifests.ts"
import type { Totals } from "./BackupLedger.ts"

/** How many faults a run names. */
const namedFaults = 100

/** The totals with these faults more. */
export const withFaults = (totals: Totals, faults: ReadonlyArray<Fault>): Totals => ({
  ...totals,
  faults: [...totals.faults, ...faults].slice(0, namedFaults),
  faulty: totals.faulty + faults.length
})
