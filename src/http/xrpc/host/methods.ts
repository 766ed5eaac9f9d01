import { adminAccountMethods } from "./adminAccounts.ts"
import { adminChangeMethods } from "./adminChanges.ts"
import { adminInviteMethods } from "./adminInvites.ts"
import { adminSubjectMethods } from "./adminSubjects.ts"
import { identityMethods } from "./identity.ts"
import { inviteMethods } from "./invites.ts"
import { serverMethods } from "./server.ts"
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
