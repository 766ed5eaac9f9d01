import type { Credentials } from "../accounts/AccountCalls.ts"
import type { Ceremony, CredentialJson, Passkey } from "./Passkeys.ts"

/** What the account's object does for those who see to its passkeys from a command line, and who open a link of theirs. */
export interface PasskeyLinkCalls {
  /**
   * Judges a session of the account's main password that began in the last quarter of an hour, with the second factor
   * where there is one; tells until when that proof is good.
   */
  proveSession: { input: Credentials; output: { readonly until: number } }
  /**
   * Makes a link, for an active account alone, and tells the owner by mail where mail goes out. `until`: when it is over
   * at the latest. The secret is told this once.
   */
  makePasskeyLink: {
    input: { readonly by: "owner" | "administrator"; readonly until?: number }
    output: { readonly secret: string; readonly expiresAt: number }
  }
  /** What the page of a link shows. Rejected as `ExpiredToken` where the link is over, whyever. */
  openPasskeyLink: {
    input: { readonly secret: string }
    output: {
      readonly did: string
      readonly handle: string
      readonly passkeyList: ReadonlyArray<Passkey>
      /** A code of the authenticator is asked for: the link stands for the password alone. */
      readonly secondFactor: boolean
    }
  }
  /**
   * Adds a passkey by a link, which is used up, also by one that is refused (`InvalidRequest`). A wrong code is rejected
   * as `AuthenticationRequired` and leaves it good.
   */
  addPasskeyByLink: {
    input: Ceremony & {
      readonly secret: string
      readonly code: string
      readonly name: string
      readonly response: CredentialJson
    }
    output: Passkey
  }
}
