import type { Account } from "./AccountStore.ts"
import type { SubjectChange, SubjectView } from "./SubjectStatus.ts"
import type { Subject } from "./Takedowns.ts"

type None = Record<string, never>

/** What the account's object does for the administrator, whom the Worker has judged. */
export interface AdminCalls {
  /** Rejected as `NotFound` for a record or blob that is not here. */
  subjectStatus: { input: { readonly subject: Subject }; output: SubjectView }
  updateSubject: {
    input: { readonly subject: Subject; readonly change: SubjectChange }
    output: void
  }
  /** Gives the account another address, to be confirmed, without asking its owner. */
  setEmail: { input: { readonly email: string }; output: void }
  /** Gives the account another handle, reserved ones included. */
  setHandle: { input: { readonly handle: string }; output: void }
  /** Gives the account another signing key, wrapped for it. */
  changeSigningKey: { input: Account["signingKey"]; output: void }
  /** Deletes the account without asking its owner. */
  forceDeletion: { input: None; output: void }
}
