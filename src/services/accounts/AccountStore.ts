import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { HistoryEvent } from "../../core/accounts/history.ts"
import type { InactiveStatus } from "../stream/Sequencer.ts"

/** The row of the account in this object. */
export interface Account {
  readonly did: string
  readonly handle: string
  readonly email: string | undefined
  /** When its owner confirmed the address. */
  readonly emailConfirmedAt: string | undefined
  /** Since when a sign-in with the password also takes a code mailed to the address. */
  readonly emailFactorAt: string | undefined
  /** scrypt with its parameters and salt, as one string; undefined without a password. */
  readonly password: string | undefined
  readonly signingKey: {
    readonly curve: "k256" | "p256"
    readonly wrapped: Uint8Array
    readonly didKey: string
  }
  readonly deactivatedAt: string | undefined
  /** When a deactivated account should be deleted. */
  readonly deleteAfter: string | undefined
  readonly takedown: "takendown" | "suspended" | undefined
  readonly createdAt: string
}

/** Why this account is not active; undefined if it is. */
export const inactiveStatus = (account: Account): InactiveStatus | undefined =>
  account.takedown ?? (account.deactivatedAt === undefined ? undefined : "deactivated")

/** Whether the account's deletion is due, after which it can't be reactivated. */
export const isDeletionDue = ({ deactivatedAt, deleteAfter }: Account, now: number): boolean =>
  deactivatedAt !== undefined && deleteAfter !== undefined && Date.parse(deleteAfter) <= now

/** This object has no account. */
export class RepoNotFound extends Schema.TaggedError<RepoNotFound>()("RepoNotFound", {
  did: Schema.String
}) {}

/** The account exists here but is hidden from others. */
export class RepoInactive extends Schema.TaggedError<RepoInactive>()("RepoInactive", {
  did: Schema.String,
  status: Schema.Literals(["takendown", "suspended", "deleted", "deactivated"])
}) {}

/** The account was taken down or suspended (with a reason), so nobody can sign in. */
export class AccountTakenDown extends Schema.TaggedError<AccountTakenDown>()("AccountTakenDown", {
  reason: Schema.optionalKey(Schema.String)
}) {}

/** This object's account: read once, kept in memory, written through. */
export class AccountStore extends Context.Service<
  AccountStore,
  {
    /** The account; reading an object without one writes nothing. */
    readonly get: Effect.Effect<Account, RepoNotFound>
    /** The same without waiting. */
    find(): Result.Result<Account, RepoNotFound>
    /** The account, if any, for the synchronous core. */
    peek(): Account | undefined
    /** Creates the object's tables and the account's row, and notes `event` in its history. */
    create(account: Account, event?: HistoryEvent): Effect.Effect<void>
    /** Changes the account and notes `event` in its history, in one transaction. */
    update(
      change: Partial<Omit<Account, "did" | "createdAt">>,
      event?: HistoryEvent
    ): Effect.Effect<Account, RepoNotFound>
    /** Deletes everything that this object stores. */
    readonly destroy: Effect.Effect<void>
  }
>()("nacre/services/AccountStore") {}
