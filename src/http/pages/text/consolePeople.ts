import { counted } from "./common.ts"

/** Words for an account's standing. */
export const standings: Readonly<Record<string, string>> = {
  active: "active",
  deactivated: "deactivated",
  takendown: "taken down",
  suspended: "suspended",
  deleted: "deleted"
}

/** `/admin/console/accounts`. */
export const accounts = {
  title: "Accounts",
  search: "Handle, email address or DID",
  state: "State",
  any: "any",
  find: "Find",
  none: "No account matches.",
  more: "More",
  first: "Back to the start",
  noEmail: "no email address",
  since: (day: string) => `since ${day}`
} as const

/** `/admin/console/account`. */
export const account = {
  standing: "Standing",
  reference: (ref: string) => `Reason: ${ref}`,
  did: "DID",
  email: "Email",
  noEmail: "none",
  unconfirmed: "(not confirmed)",
  created: "Created",
  invitedBy: "Invited by",
  size: "Storage",
  records: (records: number) => counted(records, "record", "records"),
  blobs: (size: string, limit: string) => `${size} of blobs, ${limit}`,
  noLimit: "without a limit",
  limit: (size: string) => `of at most ${size}`,
  ownLimit: (size: string) => `of at most ${size}, its own limit`,
  quota: "Storage limit",
  quotaHint: (limit: string) =>
    `Such as 5GB, or “none”. Leave it empty for the server’s own limit (${limit}). Nothing that is stored is deleted.`,
  wrongQuota: "Use a size such as 500MB or 5GB, “none”, or nothing.",
  quotaSubmit: "Change the limit",
  canThey: "Can they sign in?",
  can: "yes",
  cannot: "no",
  suspend: "Suspend",
  suspendHint:
    "Nobody sees a suspended account. Its owner reads the reason at every sign-in and can move away.",
  suspendReason: "Reason, for its owner",
  deletedOn: (moment: string) => `Its deletion was asked for. It happens on ${moment}.`,
  keep: "Keep the account",
  signIn: "Sign-in",
  password: "Password",
  set: "set",
  unset: "not set",
  authenticator: "Authenticator",
  on: (day: string, codes: number) =>
    `on since ${day}, ${counted(codes, "recovery code", "recovery codes")} left`,
  off: "off",
  passkeys: "Passkeys",
  appPasswords: "App passwords",
  apps: "Apps",
  devices: "Devices",
  sessions: "Sessions",
  noSessions: "No sessions with a password.",
  sessionSince: (moment: string, place: string | undefined) =>
    `Since ${moment}${place === undefined ? "" : `, from ${place}`}`,
  history: "What happened",
  noHistory: "Nothing yet.",
  moderation: "Moderation",
  takeDownHint: "Nobody sees a taken down account, and its owner can only export it or move away.",
  blobsAndRecords: "Take down a record or a blob",
  invites: "Invites",
  invitesOff: "This account can’t invite anyone.",
  noInvites: "It has no invite codes to give away.",
  invited: "It invited:",
  disableInvites: "Stop its invites",
  enableInvites: "Allow invites",
  help: "Help its owner",
  reset: "Mail a code for a new password",
  resetCreate: "Create a code for a new password",
  resetHint: "The password stays valid until the owner sets a new one with the code.",
  resetNoMail:
    "This server doesn’t send email: the owner asks you for the code, and you read it in the terminal.",
  noAddress: "The account has no email address, so no code can reach its owner.",
  factors: "Turn the authenticator off",
  factorsHint:
    "For an owner who lost the authenticator and the recovery codes. Make sure you know who is asking: afterwards the password alone signs in. We mail the owner.",
  write: "Write to its owner",
  subject: "Subject",
  message: "Message",
  send: "Send",
  delete: "Delete the account",
  deleteHint: (handle: string) =>
    `It’s deactivated at once, and deleted permanently after three days unless you or its owner keep it. Type ${handle} to confirm.`,
  handle: "Handle",
  wrongHandle: "That’s not this account’s handle.",
  acts: "What operators did",
  allActs: "Everything about this account in the audit log",
  notOwn: "You can’t do this to your own account here. Use the account’s pages.",
  operators:
    "This is an operator’s account. Only an admin can suspend it, take it down or restore it."
} as const

/** `/admin/console/invites`. */
export const invites = {
  title: "Invites",
  create: "Create invites",
  uses: "People for each code",
  codes: "Codes",
  usesHint: "From 1 to 500.",
  submit: "Create",
  badNumber: "Use a whole number from 1 to 500.",
  note: "Note",
  noteHint: "Who it’s for. Only operators see it.",
  badNote: (most: number) => `Use at most ${most} characters.`,
  expires: "Last day",
  expiresHint: "In UTC. Leave it empty for an invite without an end.",
  badDate: "Choose a day in the future.",
  left: (left: number) => `${left} left`,
  expiresAt: (moment: string) => `expires on ${moment}`,
  tree: "Who invited whom",
  treeLead: "Each account is below the one that invited it.",
  treeCut: (shown: number) =>
    `Only ${shown} accounts fit on this page. The command shows all of them.`,
  administrator: "the administrator",
  none: "No invite codes yet.",
  used: (uses: number, available: number) => `${uses} of ${available} used`,
  states: { disabled: "disabled", "used up": "used up", expired: "expired" },
  createdAt: (day: string) => `created ${day}`,
  forAccount: (account: string) => `for ${account}`,
  disable: "Disable",
  disableCode: (code: string) => `Disable ${code}`,
  more: "More",
  one: "Invite",
  link: "Link",
  linkHint: "Anyone with this link can create an account, as often as the invite allows.",
  qr: "QR code of the invite’s link",
  usedBy: "Who used it",
  unused: "Nobody has used it yet.",
  unknown: "There’s no such invite.",
  back: "All invites"
} as const

/** A number of bytes for people: “3.4 MB”. */
export const bytes = (size: number): string => {
  const units = ["B", "kB", "MB", "GB"]
  const at = size < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(size) / 3))
  const value = size / 1000 ** at
  return `${at === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[at]}`
}

/** `/admin/console/moderation`. */
export const moderation = {
  title: "Moderation",
  about: "Handle, DID, at:// address or bsky.app link",
  blob: "Blob, by its CID",
  blobHint: "Only to take down a picture or another file of the account.",
  find: "Find",
  lead: "Look up an account, a record or a blob to take it down or restore it.",
  unreadable:
    "That’s not an address that we know. Use a handle, a DID, an at:// address or a bsky.app link.",
  notHere: "There’s no such account on this server.",
  noSuch: "There’s no such record or blob in this account.",
  record: "Record",
  aBlob: "Blob",
  anAccount: "Account",
  owner: "Account",
  handle: "Handle",
  cid: "CID",
  visible: "visible",
  down: (isSuspended: boolean, ref: string | undefined) =>
    `${isSuspended ? "suspended" : "taken down"}${ref === undefined ? "" : `: ${ref}`}`,
  takeDown: "Take down",
  restore: "Restore",
  reason: "Reason",
  reasonHint: "Stays with the takedown and in the audit log.",
  restoreReasonHint: "Stays in the audit log."
} as const
