import { type Html, html } from "../html.ts"

/** `/account/move`. */
export const move = {
  title: "Move to another server",
  lead: "You can take your account to any other server. The new server does the work; this page has what it asks you for.",
  changes: "What happens",
  along:
    "Your followers, posts, likes, pictures and app settings come along. Followers notice nothing.",
  domain: "A handle on your own domain stays yours.",
  hosted: (handle: string): Html =>
    html`The new server gives you a new handle. We keep <strong>${handle}</strong> for you for 30
      days.`,
  again: "Apps, passwords and passkeys: sign in and set them up again on the new server.",
  stays:
    "Until the last step you can stop at any time. After it, your account here is deactivated; you decide when to delete it.",
  before: (links: { readonly export: string; readonly keys: string }): Html =>
    html`Before you start, <a href="${links.export}">download your data</a> and check your
      <a href="${links.keys}">recovery key</a>.`,
  start: "1. Begin on the new server",
  startLead:
    "Open the new server’s page for moving in, or an app that moves accounts. It asks you for:",
  server: "Old server",
  password: "The one for this server. App passwords don’t work.",
  authenticatorToo: "It also asks for a code from your authenticator app.",
  mailedToo: "It also asks for a code that we email you when it signs in.",
  passwordFirst: (href: string): Html =>
    html`Your account has no password yet, and the new server needs one:
      <a href="${href}">set a password</a> first.`,
  code: "2. Confirm with a code",
  codeByMail:
    "When everything has been copied, the new server asks for a code. We email it when the new server asks us for it. You can also send one from here:",
  codeHere: "When everything has been copied, the new server asks for a code. Get it here:",
  getCode: "Create a code",
  codeWarning: "Enter it at your new server only: with it, that server can take over your account.",
  ofDomain:
    "When everything has been copied, the new server shows you the document for your domain. Publish it there: your identity belongs to your domain, so no code is needed.",
  token: "If it asks for a token",
  tokenLead:
    "Some servers and apps take a token instead of your password to create your account. It works for one server and one hour.",
  newServer: "Address of the new server",
  newServerHint: "For example pds.example.org",
  badServer: "Enter the address of another server, such as pds.example.org.",
  createToken: "Create a token",
  tokenTitle: "Your token",
  tokenFor: (host: string) => `For creating your account on ${host}, within the next hour:`,
  tokenWarning:
    "Anyone with this token can reserve your account there, but not move it. Give it only to the new server.",
  back: "Back to the steps",
  movedTitle: "Your account has moved",
  livesAt: (host: string): Html =>
    html`Your account lives at <strong>${host}</strong>. Sign in there to use apps.`,
  stillActive:
    "The account here is still active, which confuses apps. Deactivate it: your account on the new server isn’t affected.",
  stillHere: "What you can still do here",
  downloadBelow: "Everything that was here when you moved",
  deleteBelow: "Delete what this server still has. Your account on the new server stays."
} as const
