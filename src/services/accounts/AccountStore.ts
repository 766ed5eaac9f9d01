import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { InactiveStatus } from "../stream/Sequencer.ts"

/** The one row that says who lives in this object. */
export interface Account {
  readonly did: string
  readonly handle: string
  readonly email: string | undefined
  /** When its owner proved that the address is theirs. */
  readonly emailConfirmedAt: string | undefined
  /** scrypt, its parameters and salt, as one string; none for an account without a password. */
  readonly password: string | undefined
  readonly signingKey: {
    readonly curve: "k256" | "p256"
    readonly wrapped: Uint8Array
    readonly didKey: string
  }
  readonly deactivatedAt: string | undefined
  /** When a deactivated account wants to be deleted. */
  readonly deleteAfter: string | undefined
  readonly takedown: "takendown" | "suspended" | undefined
  readonly createdAt: string
}

/** Why this account is not active, or nothing. */
export const inactiveStatus = (account: Account): InactiveStatus | undefined =>
  account.takedown ?? (account.deactivatedAt === undefined ? undefined : "deactivated")

/** Whether the time has come to delete this account: then it does not come back. */
export const isDeletionDue = ({ deactivatedAt, deleteAfter }: Account, now: number): boolean =>
  deactivatedAt !== undefined && deleteAfter !== undefined && Date.parse(deleteAfter) <= now

/** No account lives in this object. */
export class RepoNotFound extends Schema.TaggedError<RepoNotFound>()("RepoNotFound", {
  did: Schema.String
}) {}

/** The account lives here, and is not shown to others now. */
export class RepoInactive extends Schema.TaggedError<RepoInactive>()("RepoInactive", {
  did: Schema.String,
  status: Schema.Literals(["takendown", "suspended", "deleted", "deactivated"])
}) {}

/** The account was taken down: nobody signs in to it. */
export class AccountTakenDown extends Schema.TaggedError<AccountTakenDown>()(
  "AccountTakenDown",
  {}
) {}

/** The account of this object: read once, kept in memory, written through. */
export class AccountStore extends Context.Service<
  AccountStore,
  {
    /** The account; a read of an object without one writes nothing. */
    readonly get: Effect.Effect<Account, RepoNotFound>
    /** The account, or nothing: for the synchronous core. */
    peek(): Account | undefined
    /** Makes the object's tables and the account's row. */
    create(account: Account): Effect.Effect<void>
    update(
      change: Partial<Omit<Account, "did" | "createdAt">>
    ): Effect.Effect<Account, RepoNotFound>
    /** Removes everything that this object stores. */
    readonly destroy: Effect.Effect<void>
  }
>()("nacre/services/AccountStore") {}
