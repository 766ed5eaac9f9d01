import { type Html, html } from "../html.ts"

/** Error pages. */
export const failures = {
  laterTitle: "Temporarily unavailable",
  later: "Something this page needs isn’t responding. Please try again in a moment.",
  didNotWorkTitle: "That didn’t work",
  method: "This page can’t be opened that way.",
  notANavigation: "This page only opens in its own window, not inside another page.",
  anotherAddress: "Use this server’s main address: forms and passkeys only work there.",
  goTo: (host: string) => `Go to ${host}`,
  reload: "Reload the page",
  anotherSite: "This request came from another website, so we ignored it.",
  contentType: "This form wasn’t sent from one of our pages.",
  tooLarge: "That’s more than this form accepts.",
  malformed: "We couldn’t read this form.",
  noCookie:
    "Your browser didn’t send our cookie, or it has expired. Allow cookies for this site, reload the page and try again.",
  outdated:
    "This page was open for too long, or someone signed in or out in this browser meanwhile. Nothing was changed: reload the page and try again.",
  notPushedTitle: "This app’s request isn’t supported",
  notPushed:
    "Apps must push their request to this server first (PAR). The app’s developer needs to change this.",
  overTitle: "This sign-in has expired",
  over: "It took too long, was already finished, or was started in another browser. Go back to the app and start again.",
  clientTitle: "This app can’t sign in here",
  client: (clientId: string, reason: string): Html =>
    html`The information the app publishes about itself is invalid, so nothing was done. For its
      developer: <code>${clientId}</code>: ${reason}`,
  clientUnreachableTitle: "We couldn’t reach the app",
  clientUnreachable: (clientId: string): Html =>
    html`We couldn’t read the information the app publishes about itself, so we don’t know who is
      asking. Please try again in a moment. <code>${clientId}</code>`,
  missingTitle: "Page not found",
  missing: "There’s no page at this address.",
  toAccount: "Go to your account",
  requestId: (id: string): Html => html`Request ID: <code>${id}</code>`,
  tooManyTitle: "Too many attempts"
} as const

/** `/`. */
export const home = {
  title: "Welcome",
  lead: (host: string): Html =>
    html`${host} hosts accounts for <a href="https://bsky.app">Bluesky</a> and other
      <a href="https://atproto.com">AT Protocol</a> apps.`,
  text: (host: string) => `${host} hosts accounts for Bluesky and other AT Protocol apps.`,
  signedUp: "Have an account here? Use it in any app, or manage it below.",
  manage: "Manage your account",
  powered: (version: string) => `Powered by Nacre ${version}. API: /xrpc/`
} as const
