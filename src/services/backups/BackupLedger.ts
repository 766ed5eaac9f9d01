import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Fault, Stored } from "../../core/backups/manifests.ts"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

/** The phases of a run, in order. */
export const phases = [
  "accounts",
  "host",
  "pages",
  "close",
  "gone",
  "sample",
  "tidy",
  "done"
] as const

/** A phase of a run. */
export type Phase = (typeof phases)[number]

/** A run's results so far. */
export interface Totals {
  readonly accounts: number
  /** Accounts with a new version. */
  readonly changed: number
  /** Accounts that couldn't be backed up; their last version remains. */
  readonly failed: number
  readonly blobs: number
  readonly bytes: number
  readonly host: ReadonlyArray<Stored>
  readonly pages: ReadonlyArray<Stored>
  /** Objects of earlier runs that were read back. */
  readonly sampled: number
  /** The first hundred. */
  readonly faults: ReadonlyArray<Fault>
  /** The total number of faults; each failed account is one. */
  readonly faulty: number
}

/** A run's outcome: everything is backed up; some accounts or objects aren't; or the run wrote nothing usable. */
export type Outcome = "good" | "incomplete" | "failed"

/** A run and its progress, saved after every step. */
export interface Run {
  readonly run: string
  /** In ms. */
  readonly startedAt: number
  readonly finishedAt: number | undefined
  readonly outcome: Outcome | undefined
  readonly phase: Phase
  /** The progress within the phase: a DID, or a key of rows. */
  readonly cursor: string
  /** How many times the step at the cursor has failed. */
  readonly attempts: number
  readonly totals: Totals
}

/** The state of an account's backup. */
export interface Backed {
  /** Its newest version. */
  readonly version: string
  /** A text that changes whenever the account does. */
  readonly stamp: string
  /** The number of its versions. */
  readonly versions: number
}

/** An account of this server, and its backup. */
export interface LedgerAccount {
  readonly did: string
  /** A text that changes whenever the account's directory row does. */
  readonly listed: string
  readonly backed: Backed | undefined
}

/** A deleted account with a backup, and when a run first noticed the deletion, in ms. */
export interface GoneAccount {
  readonly did: string
  readonly goneAt: number | undefined
}

type Answer<A> = Effect.Effect<A, DirectoryUnavailable>

/** The progress of backups, in the host's database. */
export class BackupLedger extends Context.Service<
  BackupLedger,
  {
    /** The current run. */
    readonly open: Answer<Run | undefined>
    /** Runs that have ended, newest first. */
    ended(limit: number): Answer<ReadonlyArray<Run>>
    run(run: string): Answer<Run | undefined>
    /** The number of runs that can be restored. */
    readonly count: Answer<number>
    /**
     * Starts a run unless there is a current one; returns the current run, or the ended run that
     * already has this id.
     */
    begin(run: string, now: number): Answer<Run>
    /** Leases the run to `holder` until a time; returns when the lease of another holder ends, which is then unchanged. */
    lease(run: string, holder: string, now: number, until: number): Answer<number | undefined>
    /** Saves the progress and extends the lease; false if another holder has the run. */
    save(run: Run, holder: string, until: number): Answer<boolean>
    /** Ends the lease. */
    release(run: string, holder: string): Answer<void>
    /** Accounts of this server in order of their DIDs, after one. */
    accounts(after: string, limit: number): Answer<ReadonlyArray<LedgerAccount>>
    /** The backups of accounts of this server, in order of their DIDs, after one. */
    backed(after: string, limit: number): Answer<ReadonlyArray<{ readonly did: string } & Backed>>
    note(did: string, backed: Backed): Answer<void>
    /** Deleted accounts with a backup. */
    gone(after: string, limit: number): Answer<ReadonlyArray<GoneAccount>>
    noteGone(did: string, at: number): Answer<void>
    forget(did: string): Answer<void>
    /** Clears the ledger, for a different store. */
    readonly reset: Answer<void>
    /** The id of the store that the ledger describes. */
    readonly mark: Answer<string | undefined>
    setMark(id: string): Answer<void>
  }
>()("nacre/services/BackupLedger") {}
