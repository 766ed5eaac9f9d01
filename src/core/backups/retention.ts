import { runTime } from "./places.ts"

/** The number of days, weeks and months whose newest run is kept. */
export interface Retention {
  readonly days: number
  readonly weeks: number
  readonly months: number
}

const day = 86_400_000

/** Monday, 5 January 1970, begins a week. */
const firstMonday = 4 * day

const buckets: Readonly<Record<keyof Retention, (millis: number) => string | number>> = {
  days: (millis) => Math.floor(millis / day),
  weeks: (millis) => Math.floor((millis - firstMonday) / (7 * day)),
  months: (millis) => new Date(millis).toISOString().slice(0, 7)
}

/** The runs to keep: the newest of all, and the newest of each of the last days, weeks and months that have one. */
export const runsToKeep = (runs: ReadonlyArray<string>, keep: Retention): ReadonlySet<string> => {
  const newestFirst = runs
    .filter((run) => runTime(run) !== undefined)
    .toSorted()
    .toReversed()
  const kept = new Set(newestFirst.slice(0, 1))
  for (const unit of ["days", "weeks", "months"] as const) {
    const seen = new Set<string | number>()
    for (const run of newestFirst) {
      const bucket = buckets[unit](runTime(run)!)
      if (seen.has(bucket)) continue
      if (seen.size === keep[unit]) break
      seen.add(bucket)
      kept.add(run)
    }
  }
  return kept
}

/** The versions of an account that kept runs need: for each run, the newest version up to it. */
export const versionsToKeep = (
  versions: ReadonlyArray<string>,
  runs: Iterable<string>
): ReadonlySet<string> => {
  const newestFirst = versions.toSorted().toReversed()
  const kept = new Set(newestFirst.slice(0, 1))
  for (const run of runs) {
    const version = newestFirst.find((one) => one <= run)
    if (version !== undefined) kept.add(version)
  }
  return kept
}
