import { utcMinute } from "../../core/host/utcMinute.ts"
import type { HistoryEntry, HistoryKind } from "../../core/accounts/history.ts"
import { letter, type MailText, type Part } from "./letter.ts"
import { greeting, type MailContext } from "./mailTexts.ts"

interface Text {
  readonly subject: string
  readonly lead: string
  /** The page on which the owner ends or undoes it, below the server's address. */
  readonly page: string
  readonly action: string
}

const toPassword = { page: "/account/password", action: "If it wasn’t, change your password" }
const toApps = { page: "/account/apps", action: "If it wasn’t, revoke it and change your password" }
const toSecurity = { page: "/account/security", action: "If it wasn’t, review how you sign in" }

const texts: Readonly<Partial<Record<HistoryKind, Text>>> = {
  password: {
    subject: "Your password was changed",
    lead: "Your password was changed. Every app and every other browser is signed out.",
    page: "/account/forgot",
    action: "If it wasn’t, reset your password"
  },
  "password-reset": {
    subject: "Your password was reset",
    lead: "Your password was reset with an emailed code. Every app and browser is signed out.",
    page: "/account/forgot",
    action: "If it wasn’t, reset your password"
  },
  "authenticator-on": {
    subject: "Authenticator turned on",
    lead: "An authenticator app was added to your account. Signing in now takes its codes.",
    ...toPassword
  },
  "authenticator-off": {
    subject: "Authenticator turned off",
    lead: "The authenticator app was removed from your account. Your password alone signs you in.",
    page: "/account/authenticator",
    action: "Set it up again"
  },
  "email-factor-on": {
    subject: "Sign-in codes by email turned on",
    lead: "Signing in with your password now takes a code that we email you.",
    ...toSecurity
  },
  "email-factor-off": {
    subject: "Sign-in codes by email turned off",
    lead: "Your password alone signs you in again.",
    page: "/account/security",
    action: "If it wasn’t, turn them on again and change your password"
  },
  "recovery-codes": {
    subject: "New recovery codes",
    lead: "New recovery codes were created for your account. The old ones no longer work.",
    page: "/account/authenticator",
    action: "If it wasn’t, replace them"
  },
  "passkey-added": {
    subject: "Passkey added",
    lead: "A passkey was added to your account. It signs in without your password.",
    page: "/account/security",
    action: "If it wasn’t, remove it and change your password"
  },
  "passkey-removed": {
    subject: "Passkey removed",
    lead: "A passkey was removed from your account.",
    ...toSecurity
  },
  "app-password": {
    subject: "App password created",
    lead: "An app password was created for your account. An app can sign in with it.",
    ...toApps
  },
  "access-token": {
    subject: "Access token created",
    lead: "An access token was created for your account. A script can use your account with it.",
    ...toApps
  },
  email: {
    subject: "Your email address was changed",
    lead: "The email address of your account was changed.",
    page: "/account/email",
    action: "If it wasn’t, change it back, and change your password"
  },
  handle: {
    subject: "Your handle was changed",
    lead: "The handle of your account was changed.",
    page: "/account/handle",
    action: "If it wasn’t, change it back, and change your password"
  },
  "signing-key": {
    subject: "Your signing key was changed",
    lead: "The key that signs your posts was changed.",
    page: "/account/activity",
    action: "See your account’s activity"
  },
  "recovery-keys": {
    subject: "Your identity was changed",
    lead: "The keys that control your identity were changed.",
    page: "/account/keys",
    action: "If it wasn’t, check your recovery key: you can undo a change for 72 hours"
  },
  identity: {
    subject: "A change of your identity was signed",
    lead: "Someone signed in to your account got a signed change of your identity. With it, an account can move to another server.",
    page: "/account/keys",
    action: "If it wasn’t, check your recovery key: you can undo a change for 72 hours"
  },
  "move-token": {
    subject: "A token for another server was created",
    lead: "Someone signed in to your account created a token with which another server can prepare to take your account. Moving it also takes a code.",
    ...toPassword
  },
  "deletion-asked": {
    subject: "Your account will be deleted",
    lead: "Your account is deactivated and will be deleted. Until then you can keep it: sign in and choose “Keep my account”.",
    page: "/account",
    action: "Keep your account"
  },
  "deletion-undone": {
    subject: "Your account won’t be deleted",
    lead: "The deletion of your account was cancelled.",
    ...toPassword
  }
}

const signInText = ({ way }: HistoryEntry): Text => {
  const subject = way === "app" ? "A new app is connected" : "New sign-in to your account"
  const isBrowser = way === "browser"
  return {
    subject,
    lead:
      way === "app"
        ? "An app that you hadn’t connected before, or not from this device, can now use your account."
        : "Someone signed in to your account from a device or app that we hadn’t seen before.",
    page: isBrowser ? "/account/devices" : "/account/apps",
    action: isBrowser
      ? "If it wasn’t, sign the device out and change your password"
      : "If it wasn’t, disconnect it and change your password"
  }
}

const textOf = (entry: HistoryEntry): Text | undefined =>
  entry.kind === "sign-in" ? signInText(entry) : texts[entry.kind]

const factsOf = (entry: HistoryEntry, handle: string) => {
  const { kind, at, app, subject, client, place, before, after, by } = entry
  const until = kind === "deletion-asked" && after !== undefined ? Date.parse(after) : undefined
  const changed = kind === "email" || kind === "handle"
  const facts: ReadonlyArray<readonly [string, string | undefined]> = [
    ["Account", `@${handle}`],
    ["When", utcMinute(at)],
    ["App", app],
    [kind === "sign-in" ? "App password" : "Name", subject],
    ["Device", client],
    ["Place", place],
    ["Before", changed ? before : undefined],
    ["Now", changed ? after : undefined],
    ["Deleted on", until === undefined ? undefined : utcMinute(until)],
    ["By", by === undefined ? undefined : "this server’s operator"]
  ]
  return facts.flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, value] as const]
  )
}

/** The mail to an owner about a sign-in or a change; undefined if the owner gets none. */
export const historyMail = (entry: HistoryEntry, context: MailContext): MailText | undefined => {
  const text = textOf(entry)
  if (text === undefined) return undefined
  const { handle, publicUrl } = context
  const parts: ReadonlyArray<Part> = [
    greeting(handle),
    text.lead,
    { facts: factsOf(entry, handle) },
    ...(entry.kind === "deletion-asked" ? [] : ["If this was you, there’s nothing to do."]),
    { label: text.action, link: `${publicUrl}${text.page}` },
    { label: "Everything that happened to your account", link: `${publicUrl}/account/activity` }
  ]
  return letter(text.subject, parts, context)
}
