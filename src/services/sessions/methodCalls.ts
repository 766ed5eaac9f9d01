import type { Credentials } from "../accounts/AccountCalls.ts"
import type { Caller, SessionLevel } from "./Authority.ts"

/** What the account's object does for the methods that a Worker adds to the server's own. */
export interface MethodCalls {
  /** Judges a caller of this account; nothing else happens. */
  authorizeMethod: {
    input: Credentials & {
      readonly nsid: string
      readonly level: SessionLevel
      /** What an OAuth app must hold: the permission for this method, nothing (`any`), or never enough (`no`). */
      readonly oauth: "permission" | "any" | "no"
    }
    output: { readonly caller: Caller }
  }
}
