import { type Html, html } from "../html.ts"
import { counted } from "./common.ts"

/** `/account/security`. */
export const security = {
  title: "How you sign in",
  password: "Password",
  noPassword: "Your account has no password.",
  changePassword: "Change your password",
  setPassword: "Set a password",
  passkeys: "Passkeys",
  noPasskeys:
    "None yet. A passkey signs you in with your fingerprint, face or PIN, and it can’t be phished.",
  addPasskey: "Add a passkey",
  passkeyDates: (added: string, used: string | undefined) =>
    `Added on ${added}, ${used === undefined ? "not used yet" : `last used ${used}`}`,
  rename: "Rename",
  newNameOf: (name: string) => `New name for “${name}”`,
  remove: "Remove",
  lastPasskey: "This is your only way to sign in. Set a password or add another passkey first.",
  authenticator: "Authenticator app",
  authenticatorOn: (since: string, codes: number) =>
    `On since ${since}. Signing in with your password also needs a code. You have ${counted(codes, "recovery code", "recovery codes")} left.`,
  authenticatorOff: "Off. Turn it on to require a code as well as your password.",
  manage: "Manage",
  setUp: "Set up an authenticator app"
} as const

/** `/account/password`. */
export const password = {
  changeTitle: "Change your password",
  setTitle: "Set a password",
  lead: "This signs out all connected apps and your other devices. App passwords, access tokens and passkeys keep working."
} as const

/** Pages on which a passkey is added. */
export const passkey = {
  title: "Add a passkey",
  lead: "Sign in without a password: with your fingerprint, face, device PIN or a security key.",
  nameHint: "A name to recognize it by, such as “Laptop”",
  submit: "Add passkey",
  refused: "This passkey couldn’t be added. Try another one.",
  alreadyAdded: "You’ve already added this passkey.",
  cancelled: "Cancelled, or it took too long. Please try again.",
  unusable: "This browser couldn’t use a passkey here.",
  oneMoment: "One moment…",
  linkGone: "Open the link from the message again.",
  noPasskeys: "This browser doesn’t support passkeys. Open the link in another one.",
  linkLead: "Anyone who holds this passkey can sign in to this account. Is it yours?",
  linkCodeHint:
    "From your authenticator app, or a recovery code. If you just used one, wait for the next.",
  linkOverTitle: "This link has expired",
  linkOver:
    "It works for 15 minutes and one passkey, until there’s a newer link or the password changes. Ask for a new one, or sign in and add a passkey under Sign-in.",
  linkUsedTitle: "This passkey couldn’t be added",
  linkUsed:
    "The link has been used up. Ask for a new one and try another passkey, or sign in and add it under Sign-in.",
  addedTitle: "Passkey added",
  added: (handle: string): Html => html`You can now sign in with it as <strong>${handle}</strong>.`
} as const

/** `/account/authenticator`. */
export const authenticator = {
  title: "Authenticator app",
  setUpTitle: "Set up an authenticator app",
  lead: "An authenticator app on your phone shows a new code every 30 seconds. Once it’s on, your password alone no longer signs anyone in. Passkeys and app passwords keep working.",
  begin: "Begin",
  scan: "Scan this with your authenticator app:",
  qrCode: "QR code for your authenticator app",
  onThisDevice: (uri: string): Html =>
    html`On this device? <a href="${uri}">Open your authenticator app</a>, or enter this key:`,
  codeLabel: "The code your app shows now",
  turnOn: "Verify and turn on",
  expired: "This setup has expired. Begin again.",
  wrong: "Wrong code. Try the next one, and check your phone’s clock.",
  onSince: (day: string) => `On since ${day}.`,
  recoveryCodes: "Recovery codes",
  recoveryCodesLead: (left: number) =>
    `Each one signs you in once when you don’t have your authenticator app. You have ${left} left. New codes replace all old ones.`,
  renewCodes: "Create new recovery codes",
  turnOffHeading: "Turn it off",
  turnOffLead: "Your password alone will sign you in again, and your recovery codes stop working.",
  turnOff: "Turn off",
  codesTitle: "Your recovery codes",
  codesLead:
    "Print or write these down, and keep them somewhere you can reach without your phone. Each works once. You won’t see them again.",
  codesOf: (handle: string, host: string) => `${handle} at ${host}`,
  codesFile: (handle: string) => `recovery-codes-${handle}.txt`,
  saved: "I’ve saved them",
  print: "Print",
  save: "Save as a file"
} as const

/** `/account/email-factor`. */
export const emailFactor = {
  title: "Codes by email",
  off: "Off. Turn them on to require a code from your inbox as well as your password.",
  onSince: (day: string) =>
    `On since ${day}. Signing in with your password also needs a code that we email you.`,
  manage: "Manage codes by email",
  setUp: "Set up codes by email",
  lead: (email: string) =>
    `Each time you sign in with your password, we’ll email a code to ${email}. Passkeys and app passwords keep working without one.`,
  authenticatorFirst:
    "Your authenticator app comes first: while it’s on, we ask for its codes and email none.",
  turnOn: "Turn on codes by email",
  noMail: "This server doesn’t send email, so it can’t email you codes.",
  unconfirmed: "Confirm your email address first: the codes go there.",
  confirmFirst: "Confirm your email address",
  turnOffHeading: "Turn them off",
  turnOffLead: "We’ll email you a code first, so nobody else can turn them off.",
  turnOff: "Turn off"
} as const
