/**
 * Which credentials get a service token for which method, for getServiceAuth and for the proxy.
 *
 * NSIDs are compared without case. Spec: XRPC, inter-service authentication.
 */

/** Methods that only the account's own sessions may call; nobody gets a token for them, as for all of `com.atproto.admin.`. */
const protectedMethods: ReadonlySet<string> = new Set(
  [
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

/** Methods outside of `com.atproto.server.` that change what an account is, on servers that take a token for them. */
const ownerMethods: ReadonlySet<string> = new Set([
  "com.atproto.identity.submitplcoperation",
  "com.atproto.repo.importrepo"
])

const report = "com.atproto.moderation.createreport"

/** Whether a method reports to moderators: an account that was taken down appeals by it. */
export const isReport = (nsid: string): boolean => nsid.toLowerCase() === report

const createAccount = "com.atproto.server.createaccount"

/** Methods that a server judges by a moderator's token beside those of `com.atproto.admin.`. */
const moderatorMethods: ReadonlySet<string> = new Set(["app.bsky.actor.getpreferences"])

/** Who asks for a service token: a session's level, or an app, whose scope is judged before. */
export type TokenHolder = "full" | "privileged" | "standard" | "takendown" | "app"

/** A token of the kind `any` names no method: a server might take it for every method, the move included. */
type MethodKind = "protected" | "move" | "owner" | "chat" | "any" | "open"

/** The holders who get a service token for each kind of method. */
const holdersOf: Readonly<Record<MethodKind, ReadonlyArray<TokenHolder>>> = {
  protected: [],
  move: ["full", "privileged", "takendown"],
  owner: ["full"],
  chat: ["full", "privileged", "app"],
  any: ["full", "privileged"],
  open: ["full", "privileged", "standard", "app"]
}

const kindOf = (lxm: string | undefined): MethodKind => {
  if (lxm === undefined) return "any"
  if (isProtected(lxm)) return "protected"
  const lower = lxm.toLowerCase()
  if (lower === createAccount) return "move"
  if (lower.startsWith("com.atproto.server.") || ownerMethods.has(lower)) return "owner"
  // Another server may trust the account as a moderator, and shows everybody's preferences to its token.
  if (moderatorMethods.has(lower)) return "owner"
  return lower.startsWith("chat.bsky.") ? "chat" : "open"
}

/** Whether nobody may have the method proxied, or get a service token for it. */
export const isProtected = (nsid: string): boolean => {
  const lower = nsid.toLowerCase()
  return protectedMethods.has(lower) || lower.startsWith("com.atproto.admin.")
}

/** Whether the holder gets a service token for the method; without one, for a token that names no method. */
export const mayHoldToken = (holder: TokenHolder, lxm: string | undefined): boolean =>
  holdersOf[kindOf(lxm)].includes(holder)

/** Whether the proxy keeps the method from app passwords without privilege. */
export const isPrivileged = (nsid: string): boolean => kindOf(nsid) === "chat"

/** Whether this server takes a moderator's token for a method outside of `com.atproto.admin.`. */
export const isForModerators = (nsid: string): boolean => moderatorMethods.has(nsid.toLowerCase())

/** Whether this is the one method that a taken-down account may be moved away by. */
export const isCreateAccount = (nsid: string): boolean => nsid.toLowerCase() === createAccount
