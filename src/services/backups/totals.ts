import type { Fault } from "../../core/backups/manifests.ts"
import type { Totals } from "./BackupLedger.ts"

/** The number of faults that a run describes. */
const namedFaults = 100

/** Adds faults to the totals. */
export const withFaults = (totals: Totals, faults: ReadonlyArray<Fault>): Totals => ({
  ...totals,
  faults: [...totals.faults, ...faults].slice(0, namedFaults),
  faulty: totals.faulty + faults.length
})
