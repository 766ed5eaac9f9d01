import { adminAccountMethods } from "./accounts/adminAccounts.ts"
import { adminChangeMethods } from "./accounts/adminChanges.ts"
import { adminSubjectMethods } from "./accounts/adminSubjects.ts"
import { inviteMethods } from "./accounts/invites.ts"
import { actorMethods } from "./accounts/preferences.ts"
import { recoveryMethods } from "./accounts/recovery.ts"
import { blobMethods } from "./blobs/methods.ts"
import { tempMethods } from "./host/temp.ts"
import { identityMethods } from "./identity/methods.ts"
import { emailMethods } from "./mail/methods.ts"
import { importRepo } from "./repo/importMethod.ts"
import { repoReadMethods } from "./repo/readMethods.ts"
import { syncMethods } from "./repo/syncMethods.ts"
import { repoWriteMethods } from "./repo/writeMethods.ts"
import { serverMethods } from "./sessions/methods.ts"
import { streamMethods } from "./stream/methods.ts"
import type { LimitRule } from "../services/limits/rules.ts"
import { table } from "./Xrpc.ts"

/** Every method of the server. */
export const methods = [
  ...adminAccountMethods,
  ...adminChangeMethods,
  ...adminSubjectMethods,
  ...inviteMethods,
  ...actorMethods,
  ...recoveryMethods,
  ...blobMethods,
  ...tempMethods,
  ...identityMethods,
  ...emailMethods,
  importRepo,
  ...repoReadMethods,
  ...syncMethods,
  ...repoWriteMethods,
  ...serverMethods,
  ...streamMethods
]

/** The methods that the Worker answers itself. */
export const hostMethods = table("host", methods)

/** The methods that run in an account's object. */
export const accountMethods = table("account", methods)

/** The rate limits that a method declares. */
export const limitsOf = (nsid: string): ReadonlyArray<LimitRule> =>
  (hostMethods.get(nsid) ?? accountMethods.get(nsid))?.limits ?? []
