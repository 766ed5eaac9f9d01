import { identityMethods } from "./identity.ts"
import { inviteMethods } from "./invites.ts"
import { serverMethods } from "./server.ts"
import { tempMethods } from "./temp.ts"

/** The methods that the Worker answers itself; all others belong to one account's object. */
export const hostMethods = [serverMethods, identityMethods, inviteMethods, tempMethods] as const
