import * as Effect from "effect/Effect"
import type { AccountCalls } from "../../services/accounts/AccountCalls.ts"
import { forceDeletion } from "../../services/accounts/AccountDeletion.ts"
import { replaceEmail } from "../../services/accounts/EmailAddress.ts"
import { changeHandle } from "../../services/identity/HandleChange.ts"
import { changeSigningKey } from "../../services/identity/SigningKeyChange.ts"
import { subjectStatus, updateSubject } from "../../services/accounts/SubjectStatus.ts"

type Input<K extends keyof AccountCalls> = AccountCalls[K]["input"]

/** What the account's object does for the administrator. */
export const adminCalls = {
  subjectStatus: ({ subject }: Input<"subjectStatus">) => subjectStatus(subject),
  updateSubject: ({ subject, change }: Input<"updateSubject">) => updateSubject(subject, change),
  setEmail: ({ email }: Input<"setEmail">) => replaceEmail(email),
  setHandle: ({ handle }: Input<"setHandle">) => changeHandle(handle, { override: true }),
  changeSigningKey,
  forceDeletion: () => Effect.asVoid(forceDeletion)
}
