import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"
import { backupHealth, type BackupHealth } from "../backups/backupHealth.ts"
import type { BackupLedger } from "../backups/BackupLedger.ts"
import type { WatchNotes } from "./WatchNotes.ts"

/** The tables that are counted: those that grow with accounts, not those that strangers fill. */
export const countedTables = [
  "audit",
  "backup_account",
  "invites",
  "invite_uses",
  "kept_handle",
  "passkey_owner",
  "reserved_key"
] as const

/** What the host's database holds, counted at some time. */
export interface Counts {
  /** In milliseconds. */
  readonly at: number
  /** Accounts by status. */
  readonly accounts: Readonly<Record<string, number>>
  /** Accounts of the last day. */
  readonly newAccounts: number
  /** Operators by role. */
  readonly operators: Readonly<Record<string, number>>
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>
  /** The size of the database; absent from counts of an older version. */
  readonly databaseBytes?: number
  readonly backups?: BackupHealth
}

/** What happened in an hour. */
export interface HourCounts {
  /** In hours since 1970. */
  readonly hour: number
  /** Events added to the stream. */
  readonly events: number
  /** Accounts created, as far as they still exist. */
  readonly signUps: number
}

/** How many hours are kept: 31 days. */
export const keptHours = 31 * 24

/** Counts of the host's database, taken by the cron trigger and kept: nobody counts for each scrape. */
export class HostCounts extends Context.Service<
  HostCounts,
  {
    /** The counts that were taken last; reads one row. */
    readonly last: Effect.Effect<Counts | undefined, DirectoryUnavailable>
    /** Counts; reads every row of the counted tables. */
    take(now: number): Effect.Effect<Omit<Counts, "backups">, DirectoryUnavailable>
    keep(counts: Counts): Effect.Effect<void, DirectoryUnavailable>
    /** The noted hours from one on, oldest first. */
    hours(from: number): Effect.Effect<ReadonlyArray<HourCounts>, DirectoryUnavailable>
    /** The accounts created since an hour, by hour; reads every account's row. */
    signUps(from: number): Effect.Effect<ReadonlyMap<number, number>, DirectoryUnavailable>
    /** Notes hours, and forgets those that are too old; an hour that was noted stays unchanged. */
    noteHours(
      hours: ReadonlyArray<HourCounts>,
      current: number
    ): Effect.Effect<void, DirectoryUnavailable>
  }
>()("nacre/services/HostCounts") {}

/** How old counts may become, in milliseconds; a little less than an hour, as the cron trigger isn't exact. */
const countEvery = 55 * 60_000

/** Counts again if the last counts are an hour old. */
export const countHourly: Effect.Effect<
  void,
  DirectoryUnavailable,
  HostCounts | BackupLedger | WatchNotes
> = Effect.gen(function* () {
  const counts = yield* HostCounts
  const now = yield* Clock.currentTimeMillis
  const last = yield* counts.last
  if (last !== undefined && now - last.at < countEvery) return
  const backups = yield* backupHealth
  yield* counts.keep({
    ...(yield* counts.take(now)),
    ...(backups === undefined ? {} : { backups })
  })
})
