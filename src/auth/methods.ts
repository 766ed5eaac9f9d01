/** Methods that only the account's own sessions may call: never proxied, and no service token is made for them. */
const protectedMethods: ReadonlySet<string> = new Set(
  [
    "com.atproto.admin.sendEmail",
    "com.atproto.identity.requestPlcOperationSignature",
    "com.atproto.identity.signPlcOperation",
    "com.atproto.identity.updateHandle",
    "com.atproto.server.activateAccount",
    "com.atproto.server.confirmEmail",
    "com.atproto.server.createAppPassword",
    "com.atproto.server.deactivateAccount",
    "com.atproto.server.getAccountInviteCodes",
    "com.atproto.server.getSession",
    "com.atproto.server.listAppPasswords",
    "com.atproto.server.requestAccountDelete",
    "com.atproto.server.requestEmailConfirmation",
    "com.atproto.server.requestEmailUpdate",
    "com.atproto.server.revokeAppPassword",
    "com.atproto.server.updateEmail"
  ].map((nsid) => nsid.toLowerCase())
)

const createAccount = "com.atproto.server.createaccount"

/** Whether a method may never be proxied or service-authed; NSIDs are compared without case. */
export const isProtected = (nsid: string): boolean => protectedMethods.has(nsid.toLowerCase())

/** Whether a method is closed to app passwords without privilege: chat, and moving the account. */
export const isPrivileged = (nsid: string): boolean => {
  const lower = nsid.toLowerCase()
  return lower.startsWith("chat.bsky.") || lower === createAccount
}

/** Whether this is the one method that a taken-down account may be moved away by. */
export const isCreateAccount = (nsid: string): boolean => nsid.toLowerCase() === createAccount
