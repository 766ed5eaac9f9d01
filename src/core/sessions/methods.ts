/**
 * Which credentials get a service auth token for which method, in getServiceAuth and in the proxy.
 *
 * NSIDs are compared case-insensitively. Spec: XRPC, inter-service authentication.
 */

/**
 * Methods that only the account's own sessions may call: nobody gets a token for them, or for
 * `com.atproto.admin.`.
 */
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

/**
 * Methods outside of `com.atproto.server.` that change the account itself on servers that accept a
 * token for them.
 */
const ownerMethods: ReadonlySet<string> = new Set([
  "com.atproto.identity.submitplcoperation",
  "com.atproto.repo.importrepo"
])

const report = "com.atproto.moderation.createreport"

/** Whether a method reports to moderators; the owner of a taken-down account appeals with it. */
export const isReport = (nsid: string): boolean => nsid.toLowerCase() === report

const createAccount = "com.atproto.server.createaccount"

/** Methods besides `com.atproto.admin.` that servers authorize with a moderator's token. */
const moderatorMethods: ReadonlySet<string> = new Set(["app.bsky.actor.getpreferences"])

/**
 * The holder of a token: a session's level, or an app, whose scope was checked before; a `mover` may
 * change the whole identity.
 */
export type TokenHolder = "full" | "privileged" | "standard" | "takendown" | "app" | "mover"

/**
 * `any` is for a token without a method, which a server might accept for every method, even a move.
 */
type MethodKind = "protected" | "move" | "owner" | "chat" | "any" | "open"

/** The holders that get a token for each kind of method. */
const holdersOf: Readonly<Record<MethodKind, ReadonlyArray<TokenHolder>>> = {
  protected: [],
  move: ["full", "privileged", "takendown", "mover"],
  owner: ["full"],
  chat: ["full", "privileged", "app", "mover"],
  any: ["full", "privileged"],
  open: ["full", "privileged", "standard", "app", "mover"]
}

const kindOf = (lxm: string | undefined): MethodKind => {
  if (lxm === undefined) return "any"
  if (isProtected(lxm)) return "protected"
  const lower = lxm.toLowerCase()
  if (lower === createAccount) return "move"
  if (lower.startsWith("com.atproto.server.") || ownerMethods.has(lower)) return "owner"
  // Another server may trust the account as a moderator and show everybody's preferences to its
  // token.
  if (moderatorMethods.has(lower)) return "owner"
  return lower.startsWith("chat.bsky.") ? "chat" : "open"
}

/** Whether nobody may proxy the method or get a token for it. */
export const isProtected = (nsid: string): boolean => {
  const lower = nsid.toLowerCase()
  return protectedMethods.has(lower) || lower.startsWith("com.atproto.admin.")
}

/** Whether the holder gets a token for the method; if undefined, for a token without a method. */
export const mayHoldToken = (holder: TokenHolder, lxm: string | undefined): boolean =>
  holdersOf[kindOf(lxm)].includes(holder)

/** Whether the proxy refuses the method to app passwords without privilege. */
export const isPrivileged = (nsid: string): boolean => kindOf(nsid) === "chat"

/** Whether this server accepts a moderator's token for a method outside of `com.atproto.admin.`. */
export const isForModerators = (nsid: string): boolean => moderatorMethods.has(nsid.toLowerCase())

/** Whether this is the method with which a taken-down account may move away. */
export const isCreateAccount = (nsid: string): boolean => nsid.toLowerCase() === createAccount
