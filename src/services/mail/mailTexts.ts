import { alertText, alertTitle, type Reported } from "../../core/operators/alertMessages.ts"
import type { Settings } from "../host/Config.ts"
import type { CodePurpose } from "./AccountCodes.ts"
import { letter, type Letterhead, type MailText, type Part } from "./letter.ts"

export type { MailText }

/** What a mail's reader needs to know: which account it is about, and who sends it. */
export interface MailContext extends Letterhead {
  readonly handle: string
  readonly publicUrl: string
}

/** The context of a mail to the owner of an account. */
export const mailContext = (
  { handle }: { readonly handle: string },
  { brand, host, publicUrl }: Pick<Settings, "brand" | "host" | "publicUrl">
): MailContext => ({ handle, server: brand.name ?? host, color: brand.color, publicUrl })

/** How a mail to an account's owner begins. */
export const greeting = (handle: string): string => `Hi @${handle},`

const codeMails = {
  confirm_email: { subject: "Confirm your email address", use: "confirm your email address" },
  update_email: { subject: "Change your email address", use: "change your email address" },
  reset_password: { subject: "Reset your password", use: "set a new password" },
  delete_account: {
    subject: "Delete your account",
    use: "permanently delete your account and everything in it"
  },
  auth_factor: { subject: "Your sign-in code", use: "sign in with your password" },
  plc_operation: {
    subject: "Change your identity",
    use: "change who controls your identity, for example to move to another server"
  }
} as const satisfies Record<CodePurpose, { readonly subject: string; readonly use: string }>

/** What to do about a code that the reader didn't ask for. */
const unasked = (purpose: CodePurpose, publicUrl: string): ReadonlyArray<Part> =>
  purpose === "auth_factor"
    ? [
        "Don’t share this code.",
        {
          label: "If this wasn’t you, someone knows your password. Change it",
          link: `${publicUrl}/account/password`
        }
      ]
    : ["Don’t share this code. If this wasn’t you, you can ignore this email."]

/** The mail that brings a code. */
export const codeMail = (purpose: CodePurpose, code: string, context: MailContext): MailText => {
  const { subject, use } = codeMails[purpose]
  const parts = [
    greeting(context.handle),
    `Someone asked to ${use} on ${context.publicUrl}.`,
    `If this was you, enter this code within 15 minutes:`,
    { code },
    ...unasked(purpose, context.publicUrl)
  ]
  return letter(subject, parts, context)
}

/** The mail that announces a link for adding a passkey. */
export const passkeyLinkMail = (by: "owner" | "administrator", context: MailContext): MailText => {
  const { handle, publicUrl } = context
  const parts = [
    greeting(handle),
    `${by === "owner" ? "Someone who knows your password" : "Your server’s administrator"} created a link that can add one passkey to your account on ${publicUrl}. It works for 15 minutes. A passkey signs in without a password.`,
    "If this was you, there’s nothing to do.",
    {
      label: "If it wasn’t, change your password now, which cancels the link",
      link: `${publicUrl}/account/password`
    },
    {
      label: "Then check that you recognize every passkey",
      link: `${publicUrl}/account/security`
    }
  ]
  return letter("Someone created a link to add a passkey", parts, context)
}

/** The mail after a dozen wrong codes with the right password. */
export const wrongCodesMail = (context: MailContext): MailText => {
  const { handle, publicUrl } = context
  const parts = [
    greeting(handle),
    `Someone entered the password of your account on ${publicUrl} and then a wrong code, a dozen times within a day. Your second factor kept them out.`,
    "If this was you, there’s nothing to do.",
    {
      label: "If it wasn’t, someone knows your password. Change it",
      link: `${publicUrl}/account/password`
    }
  ]
  return letter("Someone may know your password", parts, context)
}

/** The mail that reports to the operators what is wrong, or no longer. */
export const alertMail = (
  alerts: ReadonlyArray<Reported>,
  { publicUrl, ...head }: Omit<MailContext, "handle">
): MailText => {
  const all = { label: "See how the server is", link: `${publicUrl}/admin` }
  return letter(alertTitle(alerts), [...alerts.map(alertText), all], head)
}

/** The mail about an authenticator that an operator turns off. */
export const factorResetMail = (context: MailContext): MailText => {
  const { handle, publicUrl } = context
  const parts = [
    greeting(handle),
    `Your server’s administrator turned off the authenticator of your account on ${publicUrl}. Signing in no longer takes a code from it.`,
    {
      label: "If you asked for this, set up a new one",
      link: `${publicUrl}/account/authenticator`
    },
    {
      label: "If you didn’t, contact your server’s administrator, and change your password now",
      link: `${publicUrl}/account/password`
    }
  ]
  return letter("Your authenticator was turned off", parts, context)
}

/** An operator's announcement, as plain text and HTML. */
export const announcementMail = (subject: string, body: string, context: MailContext): MailText =>
  letter(
    subject,
    [
      greeting(context.handle),
      ...body.split(/\n{2,}/),
      `You get this mail because you have an account on ${context.publicUrl}.`
    ],
    context
  )

/** A mail that shows that mail works. */
export const testMail = ({ publicUrl, ...head }: Omit<MailContext, "handle">): MailText =>
  letter("A test mail", [`This is a test mail of ${publicUrl}. Mail works.`], head)
