import { type Html, html } from "../html.ts"
import { common } from "./common.ts"

/** The sign-up page. */
export const signUp = {
  title: "Create an account",
  lead: "One account for Bluesky and every app on the network",
  invite: "Invite code",
  inviteHint: "You need an invite to join this server.",
  inviteGood: "Your invite is valid.",
  inviteBad: "This invite code is invalid or has already been used.",
  username: "Username",
  usernameHint: (domains: ReadonlyArray<string>): Html =>
    domains.length === 1
      ? html`Your username: ${common.nameRule}, followed by <strong>.${domains[0] ?? ""}</strong>`
      : html`Your username: ${common.nameRule}, followed by a domain`,
  domain: "Domain of your handle",
  submit: "Create account",
  emailTaken: "An account with that email address already exists.",
  badEmail: "Enter a valid email address.",
  reserved: "That name is reserved. Try another one.",
  later: "We couldn’t create the account just now. Please try again in a moment.",
  missingHandle: "Choose a username."
} as const
