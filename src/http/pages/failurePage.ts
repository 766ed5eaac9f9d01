import * as Effect from "effect/Effect"
import { Config, type Settings } from "../../services/host/Config.ts"
import { RequestId } from "../../services/host/RequestId.ts"
import type { RateLimitExceeded } from "../../services/limits/Limiter.ts"
import type { ClientRefused, ClientUnavailable } from "../../services/oauth/OAuthClients.ts"
import type { OAuthStoreUnavailable } from "../../services/oauth/OAuthRequests.ts"
import { type Failure, wireError } from "../errors.ts"
import type { BrowserRefused } from "./browser.ts"
import { type Message, showMessage } from "./message.ts"
import type { RequestOver } from "../oauth/authorizeVisit.ts"
import { common } from "./text/common.ts"
import { failures as text } from "./text/failures.ts"
import { sentenceOf } from "./text/refusals.ts"

/** Failures of pages only, and those that pages explain in their own words. */
type OwnFailure =
  | BrowserRefused
  | RequestOver
  | ClientRefused
  | ClientUnavailable
  | OAuthStoreUnavailable
  | RateLimitExceeded

/** All errors that prevent a page. */
export type PageFailure = OwnFailure | Failure

type Messages = {
  readonly [T in OwnFailure["_tag"]]: (
    failure: Extract<OwnFailure, { readonly _tag: T }>,
    config: Settings
  ) => Message
}

const later = (): Message => ({
  title: text.laterTitle,
  text: text.later,
  status: 503
})

const refusals: Readonly<Record<BrowserRefused["reason"], readonly [number, string]>> = {
  method: [405, text.method],
  "not a navigation": [403, text.notANavigation],
  "another address": [421, text.anotherAddress],
  "another site": [403, text.anotherSite],
  "content type": [415, text.contentType],
  "too large": [413, text.tooLarge],
  malformed: [400, text.malformed],
  "no cookie": [403, text.noCookie],
  csrf: [403, text.outdated]
}

/** The messages of these failures; their causes go to the log. */
const messages: Messages = {
  BrowserRefused: ({ reason, page }, { host }) => {
    const [status, sentence] = refusals[reason]
    const label = reason === "another address" ? text.goTo(host) : text.reload
    const link = page === undefined ? {} : { link: { href: page, label } }
    return { title: text.didNotWorkTitle, text: sentence, status, ...link }
  },
  RequestOver: ({ reason }) =>
    reason === "not pushed"
      ? {
          title: text.notPushedTitle,
          text: text.notPushed,
          status: 400
        }
      : {
          title: text.overTitle,
          text: text.over,
          status: 400
        },
  ClientRefused: ({ clientId, reason }) => ({
    title: text.clientTitle,
    text: text.client(clientId, reason),
    status: 400
  }),
  ClientUnavailable: ({ clientId }) => ({
    title: text.clientUnreachableTitle,
    text: text.clientUnreachable(clientId),
    status: 502
  }),
  OAuthStoreUnavailable: later,
  RateLimitExceeded: ({ retryAfter, windowSeconds }) => ({
    title: text.tooManyTitle,
    text: common.tooManyAttempts(retryAfter ?? windowSeconds),
    status: 429,
    headers: { "retry-after": String(retryAfter ?? windowSeconds) }
  })
}

const isOwn = (failure: PageFailure): failure is OwnFailure => Object.hasOwn(messages, failure._tag)

const ownMessage = (failure: OwnFailure, config: Settings): Message =>
  // SAFETY: the table has, for each tag, that tag's function.
  (messages[failure._tag] as (failure: OwnFailure, config: Settings) => Message)(failure, config)

const otherMessage = (failure: Failure): Message => {
  const { status } = wireError(failure)
  return status >= 500
    ? later()
    : { title: text.didNotWorkTitle, text: sentenceOf(failure), status }
}

const messageOf = (failure: PageFailure, config: Settings): Message =>
  isOwn(failure) ? ownMessage(failure, config) : otherMessage(failure)

/** Runs a page's handler, with an error page for every failure. */
export const asPage = <R>(make: Effect.Effect<Response, PageFailure, R>) =>
  Effect.gen(function* () {
    const config = yield* Config
    const requestId = yield* RequestId
    const show = (message: Message) => showMessage({ ...message, requestId }, config)
    return yield* make.pipe(
      Effect.tapError((failure) => Effect.logInfo("a page was refused", failure)),
      Effect.catch((failure) => Effect.succeed(show(messageOf(failure, config)))),
      Effect.catchCause((cause) =>
        Effect.as(Effect.logError("page failed", cause), show({ ...later(), status: 500 }))
      )
    )
  })
