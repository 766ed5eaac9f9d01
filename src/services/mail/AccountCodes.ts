import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** What a mailed code lets its holder do. */
export const codePurposes = [
  "confirm_email",
  "update_email",
  "reset_password",
  "delete_account",
  "plc_operation"
] as const

/** What a mailed code lets its holder do, each code one thing. */
export type CodePurpose = (typeof codePurposes)[number]

/** The code is not the account's code for this, or was used before. */
export class CodeInvalid extends Schema.TaggedError<CodeInvalid>()("CodeInvalid", {
  purpose: Schema.Literals(codePurposes)
}) {}

/** The code was the right one and came too late. */
export class CodeExpired extends Schema.TaggedError<CodeExpired>()("CodeExpired", {
  purpose: Schema.Literals(codePurposes)
}) {}

/** Why a code is not taken. */
export type CodeRefused = CodeInvalid | CodeExpired

/** A code that waits to be used; `expiresAt` in milliseconds. */
export interface PendingCode {
  readonly purpose: CodePurpose
  readonly code: string
  readonly expiresAt: number
}

/** How long a code is good, in milliseconds. */
export const codeLife = 15 * 60_000

/**
 * The codes that are mailed to the owner of the account in this object: `XXXXX-XXXXX`, good once, for a quarter
 * of an hour, one a purpose.
 *
 * Stored as hashes. Where no mail is delivered they are kept sealed besides, for `pending` to show. The tenth
 * wrong attempt ends a code.
 */
export class AccountCodes extends Context.Service<
  AccountCodes,
  {
    /** Makes a code; the one before it for the same purpose is no longer good. `readable`: `pending` may show it. */
    make(
      did: string,
      purpose: CodePurpose,
      options: { readonly readable: boolean }
    ): Effect.Effect<PendingCode>
    /** Judges a code and leaves it good, for what must be looked at before it is used. */
    check(purpose: CodePurpose, code: string): Effect.Effect<void, CodeRefused>
    /** Uses a code in one turn: of two at once one is taken. */
    use(purpose: CodePurpose, code: string): Effect.Effect<void, CodeRefused>
    /** The codes that are good and were made readable. */
    pending(did: string): Effect.Effect<ReadonlyArray<PendingCode>>
    /** These codes are good no more: what they were made for has changed. */
    revoke(purposes: ReadonlyArray<CodePurpose>): Effect.Effect<void>
  }
>()("nacre/services/AccountCodes") {}
