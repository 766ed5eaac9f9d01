import { counted } from "./common.ts"

/** `/admin/console/network`. */
export const network = {
  title: "Network",
  relays: "Relays",
  relaysHint: "Relays read this server’s stream and pass it on to apps.",
  noRelays: "No relays are configured (RELAYS).",
  never: "Wasn’t asked yet.",
  accepted: (ago: string) => `Accepted our request ${ago}.`,
  rejected: (ago: string, answer: string) => `Rejected our request ${ago}: ${answer}.`,
  noAnswer: "no response",
  ask: "Ask again",
  askNamed: (relay: string) => `Ask ${relay} again`,
  disconnect: "Disconnect",
  disconnectNamed: (reader: string) => `Disconnect ${reader}`,
  readers: "Readers",
  noReaders: "Nobody has read the stream within a month.",
  connected: "connected",
  gone: "gone",
  since: (ago: string) => `since ${ago}`,
  seen: (ago: string) => `last seen ${ago}`,
  behind: (events: number) =>
    events === 0 ? "has read everything" : `${counted(events, "event", "events")} behind`,
  unknownReader: "Unknown reader",
  stream: "Stream",
  newest: "Newest sequence number",
  kept: "Kept events"
} as const

/** `/admin/console/mail`. */
export const mail = {
  title: "Mail",
  how: "How mail leaves",
  kinds: {
    none: "This server doesn’t send email (MAILER=none).",
    captured: "Mails stay in memory, for development (MAILER=captured).",
    worker: "The Worker’s own mailer.",
    cloudflare: "Cloudflare’s binding MAIL.",
    http: "A provider’s HTTP API."
  },
  from: "From",
  provider: "Provider",
  test: "Send a test mail",
  testHint: (to: string) => `It goes to ${to}, your own address.`,
  noAddress: "Your account has no email address to send a test mail to.",
  send: "Send a test mail",
  failed: "The mail couldn’t be sent. The server’s log says why."
} as const

/** Announcements on `/admin/console/mail`. */
export const announcements = {
  title: "Announcements",
  noMail: "This server doesn’t send email, so it can’t send announcements.",
  subject: "Subject",
  text: "Text",
  to: "Only to",
  toHint: "Handles or DIDs, separated by commas. Leave it empty to write to every active account.",
  preview: "Preview",
  previewTitle: "Preview",
  previewHint: "Each mail greets its owner by handle. Addresses that nobody confirmed get no mail.",
  send: "Send the announcement",
  reaches: (accounts: number, without: number) =>
    `It goes to ${counted(accounts, "account", "accounts")}${
      without === 0 ? "." : `, but ${without} of them have no email address.`
    }`,
  badSubject: (most: number) => `Write a subject of at most ${most} characters.`,
  badText: (most: number) => `Write a text of at most ${most} characters.`,
  badTo: (most: number) => `Name at most ${most} accounts.`,
  unknownAccount: "One of these accounts isn’t on this server.",
  tooMany: "Three announcements are being sent already. Wait until one of them is done.",
  none: "No announcements yet.",
  everyone: "to every active account",
  some: (count: number) => `to ${counted(count, "account", "accounts")}`,
  sending: "being sent",
  done: "done",
  sent: (count: number) => `${count} sent`,
  withoutAddress: (count: number) => `${count} without an address`,
  unconfirmed: (count: number) => `${count} with an unconfirmed address`,
  failed: (count: number) => `${count} failed`,
  interrupted: (count: number) => `${count} interrupted, perhaps sent`
} as const

/** `/admin/console/backups`. */
export const backups = {
  title: "Backups",
  store: "Store",
  noStore:
    "No backup store is configured. Bind a bucket as BACKUPS, or set BACKUP_S3_URL. If this server is lost, everything on it is lost.",
  open: "A backup is under way.",
  phase: (phase: string) => `Phase: ${phase}`,
  continue: "Continue now",
  now: "Back up now",
  nowHint:
    "This request does as much as it can in 20 seconds. The server continues the rest every few minutes.",
  runs: "Recent backups",
  none: "No backup has ended yet.",
  outcomes: { good: "good", incomplete: "incomplete", failed: "failed" },
  accounts: (accounts: number, changed: number) =>
    `${counted(accounts, "account", "accounts")}, ${changed} of them changed`,
  faults: (faulty: number) => counted(faulty, "fault", "faults"),
  fault: (subject: string, problem: string) => `${subject}: ${problem}`,
  drill: "Last drill",
  drillHint:
    "A drill restores the newest backup into memory on another computer and compares it. Run one each month.",
  noDrill: "No drill has been reported yet.",
  drillOutcomes: { good: "good", different: "differences", failed: "failed" },
  drilled: (accounts: number, records: number, blobs: number) =>
    `${counted(accounts, "account", "accounts")}, ${counted(records, "record", "records")}, ${counted(blobs, "blob", "blobs")}`
} as const

/** Checks and repairs of stored data. */
export const data = {
  title: "Stored data",
  hint: "Reads every record and the bytes of every blob. The account stays in use meanwhile.",
  check: "Check",
  continue: "Continue",
  sound: "No problems found.",
  found: (problems: number) => `${counted(problems, "problem", "problems")} found.`,
  checked: (blobs: number) => `${counted(blobs, "blob", "blobs")} read.`,
  repair: "Repair",
  repairHint: (dropped: number) =>
    `A repair rebuilds the tree, the references and the counts from the records, and announces it to relays.${
      dropped === 0
        ? ""
        : ` It removes ${counted(dropped, "entry", "entries")} of the tree without a record.`
    }`,
  all: "Check every account",
  allHint: "Each request does as much as it can in 20 seconds.",
  accounts: (accounts: number) => `${counted(accounts, "account", "accounts")} checked.`,
  end: "These are all."
} as const

/** `/admin/console/audit`. */
export const audit = {
  title: "Audit log",
  actor: "Who",
  act: "What",
  subject: "Whom",
  filter: "Filter",
  hint: "Who: a DID or “password”. What: the exact name of a method or path. Whom: a DID or an at:// address.",
  none: "No entry matches.",
  older: "Older",
  newest: "Newest",
  rejected: (status: number) => `rejected (${status})`,
  reason: (reason: string) => `Reason: ${reason}`,
  before: "before",
  after: "after",
  by: "by",
  password: "the administrator’s password",
  verify: "Verify",
  verifyHint: "Recomputes the chain of hashes of the newest entries.",
  intact: (from: number, to: number) => `Entries ${from} to ${to} are intact.`,
  changed: (seq: number) => `Entry ${seq} was changed.`,
  missing: (seq: number) => `Entries before ${seq} are missing.`,
  cutOff: "The log’s end was cut off.",
  empty: "The log is empty."
} as const

/** `/admin/console/operators`. */
export const operators = {
  title: "Operators",
  lead: "Accounts that operate this server. Each needs an authenticator.",
  none: "No account has a role yet.",
  added: (day: string, by: string) => `Since ${day}, by ${by}`,
  byPassword: "the administrator’s password",
  you: "you",
  add: "Give a role",
  account: "Handle or DID",
  role: "Role",
  roles: {
    admin: "Admin: everything",
    moderator: "Moderator: accounts, moderation and invites",
    inviter: "Inviter: invites"
  },
  submit: "Give role",
  remove: "Remove",
  removeOne: (handle: string) => `Remove the role of ${handle}`,
  notHere: "There’s no such account on this server.",
  chooseRole: "Choose a role."
} as const

/** `/admin/console/configuration`. */
export const configuration = {
  title: "Configuration",
  lead: "Read at the start. Change it in the project’s wrangler configuration, deploy, and look here again.",
  warnings: "Warnings",
  set: "Set",
  secrets: "Secrets",
  secretSet: "set",
  secretUnset: "not set",
  unset: "Left at their defaults",
  server: "Server",
  version: "Version",
  publicUrl: "Address",
  did: "DID"
} as const
