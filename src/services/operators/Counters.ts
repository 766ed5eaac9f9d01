import * as Context from "effect/Context"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"
import type * as Effect from "effect/Effect"

/** What is counted since the server was set up. */
export const counted = [
  "sign_in",
  "sign_in_refused",
  "rate_limited",
  "error",
  "mail_sent",
  "mail_failed",
  "alert_sent",
  "alert_failed"
] as const

/** The name of a sum. */
export type Counted = (typeof counted)[number]

/** The sums, by name. */
export type Sums = Readonly<Partial<Record<Counted, number>>>

/** Sums of what happened. They gather in memory for a while, and are stored together. */
export interface CountersShape {
  /** Adds one; stored by a later `store`. */
  add(name: Counted): void
  /** Whether something has waited long enough to be stored. */
  isDue(now: number): boolean
  /** Stores what has gathered: one row for each sum that grew. */
  readonly store: Effect.Effect<void, DirectoryUnavailable>
  /** The stored sums. */
  readonly sums: Effect.Effect<Sums, DirectoryUnavailable>
}

/** The host's sums; undefined if nobody counts. */
export const Counters = Context.Reference<CountersShape | undefined>("nacre/services/Counters", {
  defaultValue: () => undefined
})
