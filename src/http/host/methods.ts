import { adminAccountMethods } from "../accounts/adminAccounts.ts"
import { adminChangeMethods } from "../accounts/adminChanges.ts"
import { adminInviteMethods } from "../accounts/adminInvites.ts"
import { adminSubjectMethods } from "../accounts/adminSubjects.ts"
import { identityMethods } from "../identity/hostMethods.ts"
import { inviteMethods } from "../accounts/hostInvites.ts"
import { serverMethods } from "../sessions/hostMethods.ts"
import { tempMethods } from "./temp.ts"

/** The methods that the Worker answers itself; all others belong to one account's object. */
export const hostMethods = [
  serverMethods,
  identityMethods,
  inviteMethods,
  tempMethods,
  adminAccountMethods,
  adminChangeMethods,
  adminInviteMethods,
  adminSubjectMethods
] as const
