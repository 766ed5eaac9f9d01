import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Fault } from "../../../core/backups/manifests.ts"
import type { DirectoryUnavailable } from "../../accounts/Directory.ts"

/** The progress of a master key's rotation, stored after each step. */
export interface MasterRotation {
  /** The fingerprint of the new key. */
  readonly fingerprint: string
  /** When the server first met the new key, in ms. */
  readonly begunAt: number
  readonly finishedAt: number | undefined
  /** `wait`: everything is under the new key, but codes made with the old one are still valid. */
  readonly phase: "rewrap" | "backups" | "wait" | "verify" | "done"
  readonly cursor: string
  /** Accounts in this pass, and those of them that weren't under the new key. */
  readonly accounts: number
  readonly changed: number
  /** Accounts put under the new key in all passes. */
  readonly rewrapped: number
  /** Backups put under the new key. */
  readonly backups: number
  /** Accounts of this pass that couldn't be reached: the first hundred, and their number. */
  readonly failures: ReadonlyArray<Fault>
  readonly failed: number
  /** What neither key opens: the first hundred, and their number. */
  readonly problems: ReadonlyArray<Fault>
  readonly damaged: number
}

type Answer<A> = Effect.Effect<A, DirectoryUnavailable>

/** The progress of rotations of the host's keys, in its database. */
export class KeyRotations extends Context.Service<
  KeyRotations,
  {
    readonly master: Answer<MasterRotation | undefined>
    saveMaster(rotation: MasterRotation): Answer<void>
    /** DIDs of accounts and of sign-ups on their way, in order, after one. */
    dids(after: string, limit: number): Answer<ReadonlyArray<string>>
    /** Notes the key that the data is under from now on. */
    replaceFingerprint(variable: string, before: string, after: string): Answer<void>
  }
>()("nacre/services/KeyRotations") {}
