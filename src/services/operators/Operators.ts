import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Role } from "../../core/operators/roles.ts"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

/** An account with a role. */
export interface Operator {
  readonly did: string
  readonly role: Role
  /** In milliseconds. */
  readonly addedAt: number
  /** The giver of the role: `password`, or an operator's DID. */
  readonly addedBy: string
}

/** A change to the operators, or to an operator's account, is rejected. */
export class OperatorRefused extends Schema.TaggedError<OperatorRefused>()("OperatorRefused", {
  reason: Schema.Literals([
    "last admin",
    "too many",
    "no factor",
    "not an operator",
    "operator",
    "own account"
  ])
}) {}

/** The accounts that operate this host. */
export class Operators extends Context.Service<
  Operators,
  {
    readonly list: Effect.Effect<ReadonlyArray<Operator>, DirectoryUnavailable>
    role(did: string): Effect.Effect<Role | undefined, DirectoryUnavailable>
    /**
     * Gives an account a role, which replaces its previous one; the last admin can't be changed.
     */
    set(operator: {
      readonly did: string
      readonly role: Role
      readonly addedBy: string
    }): Effect.Effect<void, OperatorRefused | DirectoryUnavailable>
    /** Removes an account's role; the last admin can't be removed. */
    remove(did: string): Effect.Effect<void, OperatorRefused | DirectoryUnavailable>
  }
>()("nacre/services/Operators") {}
