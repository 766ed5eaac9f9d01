import { type Html, html } from "../html.ts"
import { counted } from "./common.ts"

/** The frame of the console's pages. */
export const frame = {
  name: "Console",
  navigation: "Console",
  tabs: {
    "": "Overview",
    accounts: "Accounts",
    invites: "Invites",
    moderation: "Moderation",
    network: "Network",
    mail: "Mail",
    backups: "Backups",
    audit: "Audit log",
    operators: "Operators",
    configuration: "Configuration"
  },
  yourAccount: "Your account",
  roles: { admin: "admin", moderator: "moderator", inviter: "inviter" },
  notOperatorTitle: "This page is for operators",
  notOperator:
    "The account that you’re signed in with doesn’t operate this server. An admin can give it a role.",
  inactiveTitle: "Your account isn’t active",
  inactive: "Only an active account can operate this server.",
  factorTitle: "Set up an authenticator first",
  factor:
    "Operators need an authenticator app. Set one up under Sign-in, then come back and confirm that it’s you.",
  toAuthenticator: "Set up an authenticator",
  forbiddenTitle: "Your role doesn’t include this",
  forbidden: (role: string) => `This takes the role ${role}. Ask an admin.`,
  toConsole: "Back to the console",
  noMail: "This server doesn’t send email.",
  notFoundHere: "There’s no such account on this server.",
  command: "The same in the terminal:"
} as const

/** Notices by the name in a page's address. */
export const notices = {
  "taken-down": "Taken down.",
  restored: "Restored.",
  reset: "We’ve mailed a code to the account’s owner.",
  "reset-waits": "A code for a new password is ready: its owner asks you for it.",
  "factors-reset": "Authenticator turned off. The owner signs in with the password alone.",
  deleted: "Account deleted.",
  suspended: "Suspended. Its owner reads the reason at every sign-in.",
  "deletion-asked": "Deactivated. The account is deleted in three days.",
  kept: "The account stays.",
  quota: "Storage limit changed.",
  asked: "The relay accepted our request.",
  "asked-in-vain": "The relay didn’t accept our request.",
  disconnected: "Disconnected.",
  "invites-off": "This account can’t invite any more.",
  "invites-on": "This account can invite again.",
  "invite-disabled": "Invite disabled. Nobody can use it any more.",
  mailed: "Sent.",
  announced: "The server sends the announcement, step by step within minutes.",
  "role-given": "Role given.",
  "role-removed": "Role removed.",
  repaired: "Repaired. Relays fetch the repository again.",
  "backup-done": "Backup finished.",
  "backup-more": "The backup has begun. The server continues it every few minutes."
} as const

/** `/admin`. */
export const overview = {
  title: "Is it well?",
  well: "Everything works.",
  faults: (count: number) => (count === 1 ? "One thing needs you." : `${count} things need you.`),
  ok: "ok",
  fault: "fault",
  off: "off",
  database: "Database",
  blobs: "Blob store",
  log: "Event log",
  disk: "Disk",
  responds: "Responds.",
  hasRoom: "Has room.",
  silent: "Doesn’t respond. Look at the log:",
  full: "Full. Make room on the disk, or move the server.",
  relay: (relay: string) => `Relay ${relay}`,
  relayNever: "Wasn’t asked to read this server yet.",
  relayOk: (ago: string) => `Accepted our request ${ago}.`,
  relayRefused: (ago: string, answer: string) => `Rejected our request ${ago}: ${answer}.`,
  noAnswer: "no response",
  noRelays: "No relays are configured, so the network doesn’t see this server’s accounts.",
  relays: "Relays",
  readers: "Stream",
  readersOf: (readers: number, behind: number) =>
    `${counted(readers, "reader", "readers")} connected${
      behind === 0 ? "." : `; the slowest is ${counted(behind, "event", "events")} behind.`
    }`.replace(/^no/, "No"),
  backups: "Backups",
  noStore: "No backup store is configured. If this server is lost, everything on it is lost.",
  noGood: "There’s no good backup yet.",
  lastGood: (ago: string) => `The last good one ended ${ago}.`,
  late: (ago: string) => `The last good one ended ${ago}, more than 36 hours ago.`,
  faulty: (count: number) =>
    ` ${counted(count, "account or object", "accounts or objects")} failed in the newest one.`,
  backUpNow: "Back up now",
  look: "Look at the network",
  lookAtAccount: "Look at the account",
  mail: "Mail",
  mailOn: "This server sends email.",
  resets: "Password resets",
  waits: (handle: string) => `${handle} waits for a code to set a new password.`,
  mailOff: "This server doesn’t send email. People get their codes from you.",
  watch: "Watch",
  warnings: "Configuration",
  version: "Version",
  counts: "Counts",
  countedAt: (ago: string) => `Counted ${ago}.`,
  notCounted: "The server counts every hour. There’s no count yet.",
  accounts: "Accounts",
  newAccounts: "New in a day",
  operators: "Operators",
  inviteCodes: "Invite codes",
  unknown: "unknown",
  statuses: {
    active: "active",
    deactivated: "deactivated",
    takendown: "taken down",
    suspended: "suspended",
    deleted: "deleted"
  } as Readonly<Record<string, string>>,
  history: "History",
  events: "Events",
  signUps: "Sign-ups",
  day: "24 hours",
  month: "30 days",
  noHistory: "The server notes the past hour every hour. There’s nothing to show yet.",
  chart: (title: string, span: string, sums: string) => `${title}, ${span}: ${sums}`,
  sums: (total: number, most: number, unit: string) =>
    `${total} in total, at most ${most} in ${unit}`,
  requests: "Requests",
  answers: (refused: number, failed: number) => `${refused} refused, ${failed} failed`,
  requestsHint:
    "Every answer that was counted, up to a minute ago. The counts of a process’s last minute can be missing if it ended.",
  hour: "an hour",
  aDay: "a day",
  storage: "Stored blobs",
  stored: (newest: string, most: string) => `${newest} at the last count, at most ${most}`
} as const

/** A command in a sentence. */
export const inTerminal = (command: string): Html => html`<code>npx nacre ${command}</code>`
