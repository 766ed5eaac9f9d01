import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Fault, Stored } from "../../core/backups/manifests.ts"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

/** What a run does, in this order. */
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

/** What a run does. */
export type Phase = (typeof phases)[number]

/** What a run has come to. */
export interface Totals {
  readonly accounts: number
  /** Accounts of which it has written a version. */
  readonly changed: number
  /** Accounts that it could not back up: their last version stands. */
  readonly failed: number
  readonly blobs: number
  readonly bytes: number
  readonly host: ReadonlyArray<Stored>
  readonly pages: ReadonlyArray<Stored>
  /** Objects of earlier runs that it has read back. */
  readonly sampled: number
  /** The first hundred. */
  readonly faults: ReadonlyArray<Fault>
  /** Accounts and objects that were found at fault, all of them. */
  readonly faulty: number
}

/** How a run has ended: everything is there and sound; some accounts or objects are not; it was given up. */
export type Outcome = "good" | "incomplete" | "failed"

/** A run, and how far it has come: written after every step, so that whoever goes on knows. */
export interface Run {
  readonly run: string
  /** In ms. */
  readonly startedAt: number
  readonly finishedAt: number | undefined
  readonly outcome: Outcome | undefined
  readonly phase: Phase
  /** How far the phase has come: a DID, or a key of rows. */
  readonly cursor: string
  /** How often the step at the cursor was begun and broke off. */
  readonly attempts: number
  readonly totals: Totals
}

/** What is known of an account's backup. */
export interface Backed {
  /** Its newest version. */
  readonly version: string
  /** What the account was like, in a word that changes with it. */
  readonly stamp: string
  /** How many versions it has. */
  readonly versions: number
}

/** An account of this server, and its backup. */
export interface LedgerAccount {
  readonly did: string
  /** What the directory has of it, in a word that changes with it. */
  readonly listed: string
  readonly backed: Backed | undefined
}

/** An account that is no longer here, and since when that is known, in ms. */
export interface GoneAccount {
  readonly did: string
  readonly goneAt: number | undefined
}

type Answer<A> = Effect.Effect<A, DirectoryUnavailable>

/** How far backups have come: in the host's database, and to be had again from the store of backups. */
export class BackupLedger extends Context.Service<
  BackupLedger,
  {
    /** The run that is under way. */
    readonly open: Answer<Run | undefined>
    /** Runs that have ended, newest first. */
    ended(limit: number): Answer<ReadonlyArray<Run>>
    run(run: string): Answer<Run | undefined>
    /** How many runs have ended well enough to be restored from. */
    readonly count: Answer<number>
    /** Begins a run, unless one is under way; answers the one that is. */
    begin(run: string, now: number): Answer<Run>
    /** Takes the run for `holder` until a time, unless another one has it. */
    lease(run: string, holder: string, now: number, until: number): Answer<boolean>
    /** Writes how far it has come, and prolongs the lease; false if another holder has taken it. */
    save(run: Run, holder: string, until: number): Answer<boolean>
    /** Lets others take the run. */
    release(run: string, holder: string): Answer<void>
    /** Accounts of this server in order of their DIDs, after one. */
    accounts(after: string, limit: number): Answer<ReadonlyArray<LedgerAccount>>
    /** The backups of accounts of this server, in order of their DIDs, after one. */
    backed(after: string, limit: number): Answer<ReadonlyArray<{ readonly did: string } & Backed>>
    note(did: string, backed: Backed): Answer<void>
    /** Accounts with a backup that are no longer here. */
    gone(after: string, limit: number): Answer<ReadonlyArray<GoneAccount>>
    noteGone(did: string, at: number): Answer<void>
    forget(did: string): Answer<void>
    /** Forgets all that is known of backups: the store is another one. */
    readonly reset: Answer<void>
    /** The store's mark that all this is about. */
    readonly mark: Answer<string | undefined>
    setMark(id: string): Answer<void>
  }
>()("nacre/services/BackupLedger") {}
