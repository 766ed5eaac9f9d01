import * as Effect from "effect/Effect"
import type { Rejected } from "../../services/accounts/Accounts.ts"
import { Config, type Settings } from "../../services/host/Config.ts"
import type { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import type { LimiterUnavailable, RateLimitExceeded } from "../../services/limits/Limiter.ts"
import type { ClientRefused, ClientUnavailable } from "../../services/oauth/OAuthClients.ts"
import type { OAuthStoreUnavailable } from "../../services/oauth/OAuthRequests.ts"
import type { BrowserRefused } from "./browser.ts"
import { html } from "./html.ts"
import { type Message, showMessage } from "./message.ts"
import type { RequestOver } from "../oauth/requestOver.ts"

/** Everything that keeps a page from being shown. */
export type PageFailure =
  | BrowserRefused
  | RequestOver
  | ClientRefused
  | ClientUnavailable
  | OAuthStoreUnavailable
  | DirectoryUnavailable
  | LimiterUnavailable
  | RateLimitExceeded
  | Rejected

type Messages = {
  readonly [T in PageFailure["_tag"]]: (
    failure: Extract<PageFailure, { readonly _tag: T }>,
    config: Settings
  ) => Message
}

const later = (): Message => ({
  title: "Not just now",
  text: "Something that this page needs does not answer. Please try again in a moment.",
  status: 503
})

const outdated =
  "The page had been open for long, or somebody has signed in or out since in this browser. Nothing was done: load it again and try once more."

const refusals: Readonly<Record<BrowserRefused["reason"], readonly [number, string]>> = {
  method: [405, "This page cannot be asked for in this way."],
  "not a navigation": [
    403,
    "This page opens in a window of its own only, not inside of another page."
  ],
  "another address": [
    421,
    "This server is to be used by another address: forms and passkeys belong to that one."
  ],
  "another site": [403, "This came from another site than ours, so nothing was done."],
  "content type": [415, "This form was not sent by a page of ours."],
  "too large": [413, "That is more than this form takes."],
  malformed: [400, "This form could not be read."],
  "no cookie": [
    403,
    "Your browser did not send our cookie, or one that is over. Allow cookies for this site, load the page again and try once more."
  ],
  csrf: [403, outdated]
}

/** Minutes and the like, in words. */
export const inWords = (seconds: number): string => {
  const minutes = Math.ceil(seconds / 60)
  if (minutes <= 1) return "a minute"
  return minutes < 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}

/** The one table from a failure to what the person is told; causes go to the log. */
const messages: Messages = {
  BrowserRefused: ({ reason, page }, { host }) => {
    const [status, text] = refusals[reason]
    const label = reason === "another address" ? `Go to ${host}` : "Load the page again"
    const link = page === undefined ? {} : { link: { href: page, label } }
    return { title: "This did not work", text, status, ...link }
  },
  RequestOver: ({ reason }) =>
    reason === "not pushed"
      ? {
          title: "The app asked in a way that is not supported",
          text: "Apps must push their request to this server first (PAR). This is for the app’s developer to change.",
          status: 400
        }
      : {
          title: "This sign-in is over",
          text: "It took too long, was finished already, or was begun in another browser. Go back to the app and start again.",
          status: 400
        },
  ClientRefused: ({ clientId, reason }) => ({
    title: "This app cannot sign in here",
    text: html`What the app publishes about itself is not as it should be, so nothing was done. This
      is for its developer: <code>${clientId}</code>: ${reason}`,
    status: 400
  }),
  ClientUnavailable: ({ clientId }) => ({
    title: "The app cannot be reached",
    text: html`What the app publishes about itself could not be read just now, so nobody can tell
      who asks. Please try again in a moment. <code>${clientId}</code>`,
    status: 502
  }),
  OAuthStoreUnavailable: later,
  DirectoryUnavailable: later,
  LimiterUnavailable: later,
  RateLimitExceeded: ({ retryAfter, windowSeconds }) => ({
    title: "Too many attempts",
    text: `Please wait ${inWords(retryAfter ?? windowSeconds)} and try again.`,
    status: 429,
    headers: { "retry-after": String(retryAfter ?? windowSeconds) }
  }),
  Rejected: ({ status, error, message }) =>
    status >= 500 || error === "InternalServerError"
      ? later()
      : { title: "This did not work", text: message, status }
}

/** The page that tells of a failure. */
export const showFailure = (failure: PageFailure, config: Settings): Response =>
  showMessage(
    // SAFETY: the table holds, for each tag, the function of that very tag.
    (messages[failure._tag] as (failure: PageFailure, config: Settings) => Message)(
      failure,
      config
    ),
    config
  )

/** A page's way to its answer, with a page for everything that can go wrong. */
export const asPage = <R>(make: Effect.Effect<Response, PageFailure, R>) =>
  Effect.gen(function* () {
    const config = yield* Config
    return yield* make.pipe(
      Effect.tapError((failure) => Effect.logInfo("a page was refused", failure)),
      Effect.catch((failure) => Effect.succeed(showFailure(failure, config))),
      Effect.catchCause((cause) =>
        Effect.as(
          Effect.logError("page failed", cause),
          showMessage({ ...later(), status: 500 }, config)
        )
      )
    )
  })
