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

/** The progress of the rotation of the host's key among DIDs' rotation keys, stored after each account. */
export interface HostKeyRotation {
  /** The new key, as a did:key. */
  readonly fingerprint: string
  /** When the server first met the new key, in ms. */
  readonly begunAt: number
  readonly finishedAt: number | undefined
  /** `wait`: no DID names the old key, but operations signed before may still be on their way. */
  readonly phase: "replace" | "wait" | "verify" | "done"
  readonly cursor: string
  /** DIDs of this pass with this host's key, and those of them that named the old key. */
  readonly accounts: number
  readonly changed: number
  /** DIDs changed in all passes. */
  readonly replaced: number
  /** DIDs of this pass that another server or the owner alone controls: the first hundred, and their number. */
  readonly leavings: ReadonlyArray<Fault>
  readonly left: number
  /** Accounts of this pass that weren't changed: the first hundred, and their number. */
  readonly failures: ReadonlyArray<Fault>
  readonly failed: number
  /** Until when the PLC directory gets no request, in ms, and how often in a row it failed. */
  readonly pausedUntil: number
  readonly tries: number
}

type Answer<A> = Effect.Effect<A, DirectoryUnavailable>

/** The progress of rotations of the host's keys, in its database. */
export class KeyRotations extends Context.Service<
  KeyRotations,
  {
    readonly master: Answer<MasterRotation | undefined>
    saveMaster(rotation: MasterRotation): Answer<void>
    readonly hostKey: Answer<HostKeyRotation | undefined>
    saveHostKey(rotation: HostKeyRotation): Answer<void>
    /** DIDs of accounts and of sign-ups on their way, in order, after one. */
    dids(after: string, limit: number): Answer<ReadonlyArray<string>>
    /** Notes the key that the data is under from now on. */
    replaceFingerprint(variable: string, before: string, after: string): Answer<void>
  }
>()("nacre/services/KeyRotations") {}
