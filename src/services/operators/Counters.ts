import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

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

/** The answers of an hour, as far as they were counted. */
export interface RequestHour {
  /** In hours since 1970. */
  readonly hour: number
  /** With a status below 400. */
  readonly ok: number
  /** With a status of 4xx. */
  readonly refused: number
  /** With a status from 500 up. */
  readonly failed: number
}

/** How many hours of requests are kept: 31 days. */
export const keptRequestHours = 31 * 24

/** Sums of what happened. They gather in memory for a while, and are stored together. */
export interface CountersShape {
  /** Adds one; stored by a later `store`. */
  add(name: Counted): void
  /** Adds an answer to its hour; stored by a later `store`, at most once a minute. */
  addRequest(status: number, now: number): void
  /** Whether something has waited long enough to be stored. */
  isDue(now: number): boolean
  /** Stores what has gathered: one row for each sum that grew, and one for each hour. */
  readonly store: Effect.Effect<void, DirectoryUnavailable>
  /** Stores everything now, and removes hours that are too old. */
  readonly flush: Effect.Effect<void, DirectoryUnavailable>
  /** The counted hours from one on, oldest first. */
  requests(from: number): Effect.Effect<ReadonlyArray<RequestHour>, DirectoryUnavailable>
  /** The stored sums. */
  readonly sums: Effect.Effect<Sums, DirectoryUnavailable>
}

/** The host's sums; undefined if nobody counts. */
export const Counters = Context.Reference<CountersShape | undefined>("nacre/services/Counters", {
  defaultValue: () => undefined
})

/** Stores what this process has counted; for the cron trigger. */
export const flushCounters = Effect.flatMap(Counters, (counters) => counters?.flush ?? Effect.void)
