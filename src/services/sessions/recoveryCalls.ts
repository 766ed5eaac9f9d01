import type { PendingCode } from "../mail/AccountCodes.ts"

type None = Record<string, never>

/** What the account's object does for those who have no session: who forgot the password, who deletes the account. */
export interface RecoveryCalls {
  /** Mails a code for a new password. */
  requestPasswordReset: { input: None; output: void }
  /** Rejected as `InvalidToken` or `ExpiredToken`, and as `InvalidPassword` when the new one is unfit. */
  resetPassword: { input: { readonly code: string; readonly password: string }; output: void }
  /** Wrong passwords are rejected as `AuthenticationRequired`. */
  deleteAccount: { input: { readonly code: string; readonly password: string }; output: void }
  /** The codes that wait to be used, where no mail is delivered: for the administrator alone. */
  pendingCodes: { input: None; output: ReadonlyArray<PendingCode> }
}
