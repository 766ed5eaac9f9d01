import type { AppPassword } from "./AppPasswords.ts"
import type { OAuthSession } from "../oauth/OAuthSessions.ts"
import type { Ceremony, CredentialJson, Passkey } from "../factors/Passkeys.ts"
import type { InactiveStatus } from "../stream/Sequencer.ts"

/** What the sign-in pages need to know of an account. */
export interface OwnerView {
  readonly did: string
  readonly handle: string
  readonly email?: string
  readonly emailConfirmed: boolean
  readonly status?: InactiveStatus
  readonly hasPassword: boolean
  /** Another one with each password, and tells nothing of it: what an old password has proven is worth nothing. */
  readonly passwordVersion: string
  /** Whether a password alone does not sign in. */
  readonly secondFactor: boolean
  readonly passkeys: number
}

/** Everything that `/account` shows of who can get in. */
export interface SecurityView extends OwnerView {
  readonly passkeyList: ReadonlyArray<Passkey>
  readonly authenticatorSince?: number
  readonly recoveryCodesLeft: number
  /** When the account is to be deleted (ISO), where its owner has it deactivated. */
  readonly deleteAfter?: string
  readonly appPasswords: ReadonlyArray<AppPassword>
  readonly apps: ReadonlyArray<OAuthSession>
  /** Sessions that were opened by password over XRPC. */
  readonly sessions: ReadonlyArray<{
    readonly id: string
    readonly createdAt: number
    readonly expiresAt: number
    readonly appPassword?: string
  }>
}

type None = Record<string, never>

/**
 * What the account's object does for the sign-in and account pages.
 *
 * The Worker has judged the browser (device cookie, CSRF, how long ago its owner proved themselves).
 * Wrong proofs are rejected as `AuthenticationRequired`, too many as `RateLimitExceeded`.
 */
export interface SecurityCalls {
  owner: { input: None; output: OwnerView }
  /** The main password, and nothing else: app passwords do not open pages. Taken-down accounts are rejected as `AccountTakedown`. */
  provePassword: { input: { readonly password: string }; output: OwnerView }
  /**
   * A code of the authenticator or a recovery code, after the password that was proven.
   *
   * Rejected as `ExpiredToken`, without using the code, where the password is another one by now.
   */
  proveCode: {
    input: { readonly code: string; readonly passwordVersion: string }
    output: OwnerView
  }
  /** A passkey, alone or after the password. */
  provePasskey: { input: Ceremony & { readonly response: CredentialJson }; output: OwnerView }
  security: { input: None; output: SecurityView }
  /** Ends every password session and every app's session too. Rejected as `InvalidPassword` when the new one is unfit. */
  changePassword: { input: { readonly password: string }; output: void }
  createAppPassword: {
    input: { readonly name: string; readonly privileged: boolean }
    output: AppPassword & { readonly password: string }
  }
  revokeAppPassword: { input: { readonly name: string }; output: void }
  beginAuthenticator: { input: None; output: { readonly secret: string } }
  confirmAuthenticator: {
    input: { readonly code: string }
    output: { readonly recoveryCodes: ReadonlyArray<string> }
  }
  disableAuthenticator: { input: None; output: void }
  renewRecoveryCodes: { input: None; output: { readonly recoveryCodes: ReadonlyArray<string> } }
  addPasskey: {
    input: Ceremony & { readonly name: string; readonly response: CredentialJson }
    output: Passkey
  }
  renamePasskey: { input: { readonly id: string; readonly name: string }; output: void }
  /** Rejected as `InvalidRequest` where nothing else would let its owner in. */
  removePasskey: { input: { readonly id: string }; output: void }
  endSession: { input: { readonly session: string }; output: void }
  /** Ends a deactivation, as `com.atproto.server.activateAccount` does. */
  reactivate: { input: None; output: void }
}
