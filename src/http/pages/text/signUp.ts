import { type Html, html } from "../html.ts"
import { common } from "./common.ts"

/** The sign-up page. */
export const signUp = {
  title: "Create an account",
  lead: "One account for Bluesky and every app on the network",
  invite: "Invite code",
  inviteHint: "You need an invite to join this server.",
  inviteGood: "Your invite is valid.",
  username: "Username",
  usernameHint: (domains: ReadonlyArray<string>): Html =>
    domains.length === 1
      ? html`Your username: ${common.nameRule}, followed by <strong>.${domains[0] ?? ""}</strong>`
      : html`Your username: ${common.nameRule}, followed by a domain`,
  domain: "Domain of your handle",
  submit: "Create account",
  emailTaken: "An account with that email address already exists.",
  /** What to enter, by the field of a rejected form. */
  wrong: {
    handle: "Choose a username and one of this server’s domains.",
    email: "Enter a valid email address.",
    password: common.badPassword,
    invite: "This invite code is invalid or has already been used."
  },
  reserved: "That name is reserved. Try another one.",
  later: "We couldn’t create the account just now. Please try again in a moment.",
  missingHandle: "Choose a username."
} as const
