import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { RepoNotFound } from "../accounts/AccountStore.ts"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

/** The repo can't be repaired; nothing has changed. */
export class RepairRefused extends Schema.TaggedError<RepairRefused>()("RepairRefused", {
  reason: Schema.String
}) {
  override get message(): string {
    return `The repo can't be repaired: ${this.reason}`
  }
}

/** The state of a repo's tree, references, counts and commit beside its records. */
export interface Examined {
  readonly rev: string
  /** The sound records, and the nodes of their tree. */
  readonly records: number
  readonly nodes: number
  /** How many problems there are, and the first hundred in words. */
  readonly found: number
  readonly problems: ReadonlyArray<string>
  /** Paths in the tree without a record, which a repair removes from it: the first thousand, and their number. */
  readonly dropped: ReadonlyArray<string>
  readonly droppedCount: number
  /** Records whose bytes aren't those that their CID names: the first thousand, and their number. */
  readonly damaged: ReadonlyArray<string>
  readonly damagedCount: number
}

/** What a repair has done. */
export interface Repaired {
  /** The state before. */
  readonly examined: Examined
  /** The rev of the new commit; undefined if nothing had to change. */
  readonly rev: string | undefined
}

/**
 * Rebuilds this account's tree and references from its records.
 *
 * Works in short steps while the account stays in use, and changes everything in one transaction.
 */
export class RepoRepair extends Context.Service<
  RepoRepair,
  {
    /** Compares tree, references, counts and commit with the records; changes nothing. */
    readonly examine: Effect.Effect<Examined, RepoNotFound | RepairRefused>
    /**
     * Repairs what `examine` finds, under a new commit that `#sync` announces.
     *
     * Refuses while records are damaged, unless `drop` allows to remove them.
     */
    repair(options: {
      readonly drop: boolean
    }): Effect.Effect<Repaired, RepoNotFound | RepairRefused | DirectoryUnavailable>
  }
>()("nacre/services/RepoRepair") {}
