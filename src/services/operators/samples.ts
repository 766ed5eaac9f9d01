import type * as Effect from "effect/Effect"
import type { Family, Sample } from "../../core/operators/openMetrics.ts"
import type { RelaysReport } from "../../core/stream/relayReport.ts"
import type { Settings } from "../host/Config.ts"
import type { BacklogTotal } from "../stream/Backlog.ts"
import type { SequencerStatus, Subscribers } from "../stream/Sequencer.ts"
import type { AlertSummary } from "./Alerts.ts"
import type { Sums } from "./Counters.ts"
import type { Counts } from "./HostCounts.ts"
import type { storageReport } from "./watch/storage.ts"

/** What a scrape knows; undefined if a dependency failed. */
export interface Known {
  readonly now: number
  readonly settings: Settings
  readonly up: Readonly<Record<string, string>>
  readonly status: SequencerStatus | undefined
  readonly stream: Subscribers | undefined
  readonly counts: Counts | undefined
  readonly alerts: AlertSummary | undefined
  readonly relays: RelaysReport | undefined
  readonly backlog: BacklogTotal | undefined
  readonly sums: Sums | undefined
  readonly storage: Effect.Success<typeof storageReport>
}

/** A metric, and where its samples come from. */
export interface Metric extends Omit<Family, "samples"> {
  readonly read: (known: Known) => ReadonlyArray<Sample>
}

/** A metric's only sample. */
export const one = (value: number | undefined): ReadonlyArray<Sample> =>
  value === undefined ? [] : [{ value }]

/** A sample for each name, 0 without a value. */
export const by = (
  label: string,
  names: ReadonlyArray<string>,
  values: Readonly<Partial<Record<string, number>>> | undefined
): ReadonlyArray<Sample> =>
  values === undefined
    ? []
    : names.map((name) => ({ labels: { [label]: name }, value: values[name] ?? 0 }))

/** Milliseconds as seconds. */
export const seconds = (millis: number | undefined): ReadonlyArray<Sample> =>
  millis === undefined ? [] : one(millis / 1000)
