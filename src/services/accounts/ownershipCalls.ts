import type { CodePurpose } from "../mail/AccountCodes.ts"

/**
 * What the account's object does for its owner on the pages of the account, besides the ways in.
 *
 * The Worker has judged the browser, and how long ago its owner has proven themselves. Wrong codes are rejected as
 * `InvalidToken`, late ones as `ExpiredToken`.
 */
export interface OwnershipCalls {
  /** Mails a code to the account's address, or lets it wait for the administrator where no mail goes out. */
  requestCode: {
    input: {
      readonly purpose: Extract<CodePurpose, "confirm_email" | "update_email" | "delete_account">
    }
    output: void
  }
  confirmEmail: { input: { readonly code: string }; output: void }
  /** Rejected as `TokenRequired` where the address before was confirmed and no code is there. */
  updateEmail: { input: { readonly email: string; readonly code: string }; output: void }
  /** Counted together with `com.atproto.identity.updateHandle`; rejected by its error names. */
  updateHandle: { input: { readonly handle: string }; output: void }
  /** `deleteAfter` (ISO): when the account is to be deleted, not before three days from now. */
  deactivate: { input: { readonly deleteAfter?: string }; output: void }
  /** Deletes the account for good. */
  deleteByCode: { input: { readonly code: string }; output: void }
}
