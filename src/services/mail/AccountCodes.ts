import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** What a mailed code is for. */
export const codePurposes = [
  "confirm_email",
  "update_email",
  "reset_password",
  "delete_account",
  "auth_factor",
  "plc_operation"
] as const

/** The one thing a mailed code is for. */
export type CodePurpose = (typeof codePurposes)[number]

/** The code is not the account's code for this, or was used. */
export class CodeInvalid extends Schema.TaggedError<CodeInvalid>()("CodeInvalid", {
  purpose: Schema.Literals(codePurposes)
}) {}

/** The code was right but has expired. */
export class CodeExpired extends Schema.TaggedError<CodeExpired>()("CodeExpired", {
  purpose: Schema.Literals(codePurposes)
}) {}

/** Why a code is rejected. */
export type CodeRefused = CodeInvalid | CodeExpired

/** An unused code; `expiresAt` in milliseconds. */
export interface PendingCode {
  readonly purpose: CodePurpose
  readonly code: string
  readonly expiresAt: number
}

/** Lifetime of a code, in milliseconds. */
export const codeLife = 15 * 60_000

/**
 * The codes mailed to the owner of this object's account: `XXXXX-XXXXX`, each works once within a
 * quarter of an hour, one a purpose.
 *
 * Stored as hashes. On a host without mail, also sealed for `pending` to show. The tenth wrong
 * attempt ends a code.
 */
export class AccountCodes extends Context.Service<
  AccountCodes,
  {
    /**
     * Creates a code, which replaces the previous one for the same purpose. `readable`: `pending`
     * may show it.
     */
    make(
      did: string,
      purpose: CodePurpose,
      options: { readonly readable: boolean }
    ): Effect.Effect<PendingCode>
    /** Checks a code without using it up, for other checks before its use. */
    check(purpose: CodePurpose, code: string): Effect.Effect<void, CodeRefused>
    /** Uses a code in one turn: of two concurrent uses one succeeds. */
    use(purpose: CodePurpose, code: string): Effect.Effect<void, CodeRefused>
    /** The valid codes that were created readable. */
    pending(did: string): Effect.Effect<ReadonlyArray<PendingCode>>
    /** Revokes codes whose basis has changed. */
    revoke(purposes: ReadonlyArray<CodePurpose>): Effect.Effect<void>
  }
>()("nacre/services/AccountCodes") {}
