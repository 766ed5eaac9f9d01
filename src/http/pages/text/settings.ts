import { type Html, html } from "../html.ts"

/** `/account/settings`. */
export const settings = {
  title: "Settings",
  email: "Email",
  noEmail: "None",
  unconfirmed: (email: string) => `${email} (not confirmed)`,
  handle: "Handle",
  recoveryKey: "Recovery key",
  recoveryKeyBelow: "Get your account back even if this server is gone",
  data: "Your data",
  dataBelow: "Posts, pictures and everything else, with their size",
  download: "Download your data",
  downloadBelow: "Everything in one file: posts, pictures, preferences",
  leave: "Leave",
  move: "Move to another server",
  moveBelow: "Take your followers, posts and pictures with you",
  deactivate: "Deactivate account",
  deactivateBelow: "Hide your account until you come back",
  isDeactivated: "Your account is deactivated.",
  deletedOn: (day: string) => `Your account is deactivated and will be deleted on ${day}.`,
  delete: "Delete account",
  deleteBelow: "Permanently delete your account and everything in it"
} as const

/** `/account/email`. */
export const email = {
  title: "Your email address",
  none: "Your account has no email address.",
  /** Without `confirmed` where the server sends no mail to confirm it with. */
  lead: (address: string, confirmed: boolean | undefined): Html =>
    html`<strong>${address}</strong
      >${confirmed === undefined ? "" : confirmed ? ", confirmed" : ", not confirmed"}. Only you and
      this server can see it.`,
  confirmHeading: "Confirm this address",
  confirmHint: "Confirming protects your address: changing it will need a code.",
  confirm: "Confirm",
  addHeading: "Add an address",
  changeHeading: "Change your address",
  changeHint:
    "We first ask for a code sent to your current address. If you can’t read mail there, ask this server’s administrator.",
  newAddress: "New address",
  notYours: "That isn’t your account’s email address.",
  change: "Change address"
} as const

/** Codes that confirm irreversible actions. */
export const codes = {
  waiting: (purpose: string) => `A code was requested ${purpose}. It expires after 15 minutes:`,
  warning: "Never share a code. We will never ask you for one.",
  purposes: {
    confirm_email: "to confirm your email address",
    update_email: "to change your email address",
    delete_account: "to delete your account",
    plc_operation: "to change your identity, for example to move to another server"
  } as Readonly<Record<string, string>>,
  hintByMail: "From the email we sent you. It expires after 15 minutes.",
  sendTo: (address: string) => `Send a code to ${address}`,
  send: "Send a code",
  wrong: "That code is wrong, was already used, or has been replaced by a newer one.",
  expired: "That code has expired. Request a new one.",
  needed: "This change needs a code. Request one, then enter it here.",
  noAddress: "Your account has no email address to send a code to."
} as const

/** `/account/handle`. */
export const handle = {
  title: "Your handle",
  lead: (current: string): Html =>
    html`You are <strong>${current}</strong>. When you change your handle you keep your followers
      and posts. Your old handle stays reserved for you for 30 days; then others can take it.`,
  hostedHeading: "Use a name on this server",
  useName: "Use this name",
  domainOf: "Domain of the handle",
  ownHeading: "Use your own domain",
  domain: "Domain",
  domainHint: "We’ll check your domain and tell you what’s missing.",
  verify: "Verify and use",
  notADomain: "Enter a domain name, such as example.com.",
  taken: "That handle is taken or reserved.",
  unreachable: "We couldn’t reach DNS or the identity directory. Please try again in a moment.",
  notYet: "That domain doesn’t point to your account yet.",
  setUp: "Set up one of these at your domain, with its name in place of “your-domain”:",
  oneOf: "You need one of these. DNS changes can take a few minutes.",
  record: "A TXT record in your DNS",
  recordName: "Name",
  recordValue: "Value",
  file: "Or a file on your web server",
  fileAddress: "Address",
  fileContent: "Content",
  found: "found",
  notKnown: "unknown",
  missing: "missing",
  isRight: "It’s there and correct.",
  otherAccount: (did: string): Html => html`It points to another account: <code>${did}</code>.`,
  several: (dids: ReadonlyArray<string>): Html =>
    html`There are several, so none counts:${dids.map((did) => html` <code>${did}</code>`)}. Keep
    only the right one.`,
  notChecked: "We couldn’t check this right now.",
  notAnAccount: (found: string): Html =>
    html`It contains <code>${found}</code>, which isn’t an account.`,
  notFound: "Not found, or not readable.",
  status: (status: number) => `Not found: the web server answered with status ${status}.`
} as const

/** `/account/deactivate`. */
export const deactivation = {
  title: "Deactivate account",
  lead: "Nobody can see a deactivated account: not your profile, posts or pictures. Apps can’t use it. You can still sign in here and reactivate it until it’s deleted.",
  date: "Delete it on",
  dateHint:
    "Optional. Leave empty to keep your account until you come back. At least three days from today.",
  badDate: "Enter a date such as 2030-12-31, or leave it empty.",
  change: "Change the date",
  submit: "Deactivate account"
} as const

/** `/account/delete`. */
export const deletion = {
  title: "Delete account",
  lead: "This deletes everything: profile, posts, pictures, followers and every way to sign in. Nobody can bring it back, not even this server’s administrator.",
  held: "Your account is deactivated at once and deleted three days later. Until then you can sign in here and keep it.",
  before: (links: {
    readonly export: string
    readonly deactivate: string
    readonly move: string
  }): Html =>
    html`You may want to <a href="${links.export}">download your data</a> first. Just taking a
      break? <a href="${links.deactivate}">Deactivate</a> instead.
      <a href="${links.move}">Moving to another server</a>? Do that first.`,
  codeHeading: "1. Get a code",
  deleteHeading: "2. Delete",
  handleLabel: "Your handle",
  handleHint: (handle: string): Html => html`Type <strong>${handle}</strong> to confirm.`,
  wrongHandle: "That isn’t this account’s handle.",
  submit: "Permanently delete account"
} as const
