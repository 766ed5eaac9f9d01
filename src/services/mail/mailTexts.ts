import { alertText, alertTitle, type Reported } from "../../core/operators/alertMessages.ts"
import type { CodePurpose } from "./AccountCodes.ts"

/** What a mail's reader needs to know: which account it is about, and who sends it. */
export interface MailContext {
  readonly handle: string
  /** The server's brand, or its host name. */
  readonly server: string
  readonly publicUrl: string
}

/** A mail's subject and plain text. */
export interface MailText {
  readonly subject: string
  readonly text: string
}

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
const unasked = (purpose: CodePurpose, publicUrl: string): string =>
  purpose === "auth_factor"
    ? `Don’t share this code. If this wasn’t you, someone knows your password. Change it: ${publicUrl}/account/password`
    : "Don’t share this code. If this wasn’t you, you can ignore this email."

const letter = (lines: ReadonlyArray<string>): string => `${lines.join("\n\n")}\n`

/** The mail that brings a code. */
export const codeMail = (
  purpose: CodePurpose,
  code: string,
  { handle, server, publicUrl }: MailContext
): MailText => {
  const { subject, use } = codeMails[purpose]
  return {
    subject: `${subject} (${server})`,
    text: letter([
      `Hi @${handle},`,
      `Someone asked to ${use} on ${publicUrl}.`,
      `If this was you, enter this code within 15 minutes:`,
      `    ${code}`,
      unasked(purpose, publicUrl)
    ])
  }
}

/** The mail that announces a link for adding a passkey. */
export const passkeyLinkMail = (
  by: "owner" | "administrator",
  { handle, server, publicUrl }: MailContext
): MailText => ({
  subject: `Someone created a link to add a passkey (${server})`,
  text: letter([
    `Hi @${handle},`,
    `${by === "owner" ? "Someone who knows your password" : "Your server’s administrator"} created a link that can add one passkey to your account on ${publicUrl}. It works for 15 minutes. A passkey signs in without a password.`,
    "If this was you, there’s nothing to do.",
    `If it wasn’t, change your password now, which cancels the link: ${publicUrl}/account/password`,
    `Then check that you recognize every passkey: ${publicUrl}/account/security`
  ])
})

/** The mail that reports to the operators what is wrong, or no longer. */
export const alertMail = (
  alerts: ReadonlyArray<Reported>,
  { server, publicUrl }: Omit<MailContext, "handle">
): MailText => ({
  subject: `${alertTitle(alerts)} (${server})`,
  text: letter([
    ...alerts.map(alertText),
    `See all alerts of ${publicUrl}: npx nacre watch --server ${publicUrl}`
  ])
})
