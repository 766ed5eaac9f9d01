import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { matchesRedirect } from "../../core/oauth/redirectUri.ts"
import type { Client } from "../../core/oauth/types.ts"
import { Config } from "../../services/host/Config.ts"
import { type DeviceAccount, Devices } from "../../services/oauth/Devices.ts"
import {
  Directory,
  type DirectoryStatus,
  type DirectoryUnavailable
} from "../../services/accounts/Directory.ts"
import { OAuthClients } from "../../services/oauth/OAuthClients.ts"
import { OAuthRequests, type PendingRequest } from "../../services/oauth/OAuthRequests.ts"
import { clientName } from "./consent.ts"
import { type Html, html } from "../pages/html.ts"
import { keepDevice } from "../pages/cookies.ts"
import { redirectTo } from "../pages/layout.ts"
import { hidden } from "../pages/parts.ts"
import type { Visitor } from "../pages/visitor.ts"
import { accountBehind } from "../sessions/signInGate.ts"
import type { Situation } from "./authorizeStep.ts"
import { signIn as text } from "../pages/text/signIn.ts"
import * as Schema from "effect/Schema"

/** The routes of the flow. */
export const paths = {
  page: "/oauth/authorize",
  signIn: "/oauth/authorize/sign-in",
  code: "/oauth/authorize/code",
  passkey: "/oauth/authorize/passkey",
  signUp: "/oauth/authorize/sign-up",
  accept: "/oauth/authorize/accept",
  reject: "/oauth/authorize/reject",
  reactivate: "/oauth/authorize/reactivate"
} as const

/** An account on this device, with its current data from the directory. */
export interface HereAccount extends DeviceAccount {
  readonly handle: string
  readonly status: DirectoryStatus
}

/** A browser in the middle of a request. */
export interface Visit {
  readonly visitor: Visitor
  readonly requestUri: string
  readonly pending: PendingRequest
  readonly client: Client
  readonly accounts: ReadonlyArray<HereAccount>
  /** The account that the app requests, if it is on this server. */
  readonly hint: string | undefined
  /** Prefills the sign-in form: that account's handle, or the name that the app gave. */
  readonly suggested: string | undefined
}

/** The identity of a request in links and forms. */
export interface RequestName {
  readonly clientId: string | null | undefined
  readonly requestUri: string | null | undefined
}

/** Opens a request on the visitor's device; on any other it has expired. */
export const openRequest = Effect.fn("authorize.openRequest")(function* (
  visitor: Visitor,
  { clientId, requestUri }: RequestName
) {
  if (typeof requestUri !== "string") return yield* new RequestOver({ reason: "not pushed" })
  const pending = yield* (yield* OAuthRequests).open(requestUri, visitor.device.id)
  if (pending === undefined || pending.parameters.clientId !== clientId) {
    return yield* new RequestOver({ reason: "over" })
  }
  return { requestUri, pending }
})

/** A request's client; fails if it has withdrawn the redirect meanwhile. */
const clientOf = Effect.fnUntraced(function* ({ parameters }: PendingRequest) {
  const client = yield* (yield* OAuthClients).get(parameters.clientId)
  return matchesRedirect(client, parameters.redirectUri)
    ? client
    : yield* new RequestOver({ reason: "over" })
})

/** The accounts that are signed in on a device and still on this server. */
const accountsOf = Effect.fnUntraced(function* (device: string) {
  const directory = yield* Directory
  const all = yield* (yield* Devices).accounts(device)
  const found = yield* Effect.forEach(all, (account) =>
    Effect.map(directory.byDid(account.did), (entry): ReadonlyArray<HereAccount> =>
      entry === undefined ? [] : [{ ...account, handle: entry.handle, status: entry.status }]
    )
  )
  return found.flat()
})

/**
 * The account that the app names; an email address works only if that account is signed in here, so
 * it doesn't reveal whose it is.
 */
const hintOf = Effect.fnUntraced(function* (
  loginHint: string | undefined,
  accounts: ReadonlyArray<HereAccount>
): Effect.fn.Return<
  { readonly hint?: string; readonly suggested?: string },
  DirectoryUnavailable,
  Directory
> {
  if (loginHint === undefined) return {}
  const entry = yield* accountBehind(loginHint)
  const isHere = accounts.some(({ did }) => did === entry?.did)
  if (entry === undefined || (loginHint.includes("@") && !isHere)) {
    return loginHint.startsWith("did:") ? {} : { suggested: loginHint }
  }
  return { hint: entry.did, suggested: entry.handle }
})

/** All data that a request's pages show. */
export const openVisit = Effect.fn("authorize.openVisit")(function* (
  visitor: Visitor,
  name: RequestName
) {
  const { requestUri, pending } = yield* openRequest(visitor, name)
  const client = yield* clientOf(pending)
  const accounts = yield* accountsOf(visitor.device.id)
  const { hint, suggested } = yield* hintOf(pending.parameters.loginHint, accounts)
  const visit: Visit = { visitor, requestUri, pending, client, accounts, hint, suggested }
  return visit
})

/** What determines the next page of a visit. */
export const situationOf = Effect.fnUntraced(function* (
  { accounts, hint, pending }: Visit,
  chosen: Situation["chosen"] = {}
) {
  const { handleDomains } = yield* Config
  const { prompt } = pending.parameters
  return {
    prompt,
    hint,
    accounts,
    chosen,
    requestedAt: pending.createdAt,
    now: yield* Clock.currentTimeMillis,
    canSignUp: handleDomains.length > 0 && hint === undefined
  } satisfies Situation as Situation
})

/** A link to another page of the same request. */
export const linkTo = (
  { pending, requestUri }: Pick<Visit, "pending" | "requestUri">,
  chosen: Situation["chosen"] = {}
): string => {
  const query = new URLSearchParams({
    client_id: pending.parameters.clientId,
    request_uri: requestUri
  })
  for (const [name, value] of Object.entries(chosen)) {
    if (value !== undefined) query.set(name, value)
  }
  return `${paths.page}?${query}`
}

/** The hidden fields that identify the request in a form. */
export const carriedBy = ({ visitor, requestUri, pending }: Visit) => ({
  csrf: visitor.csrf,
  client_id: pending.parameters.clientId,
  request_uri: requestUri
})

/** The requesting app, below a page's heading. */
export const leadOf = ({ client }: Visit): string => text.toApp(clientName(client))

/** The cancel button of every page: back to the app without access. */
export const cancel = (visit: Visit): Html =>
  html`<form method="post" action="${paths.reject}">
    ${hidden(carriedBy(visit))}<button type="submit" class="link">${text.cancelApp}</button>
  </form>`

/** Signs an account in on the visitor's device and continues the request. */
export const signedIn = Effect.fn("authorize.signedIn")(function* (
  visit: Pick<Visit, "visitor" | "pending" | "requestUri">,
  account: { readonly did: string; readonly remembered: boolean }
) {
  const config = yield* Config
  const { cookie } = yield* (yield* Devices).signIn(visit.visitor.device.id, account)
  return redirectTo(linkTo(visit, { account: account.did }), config, [keepDevice(cookie, config)])
})

/** The authorization request doesn't exist or has expired. */
export class RequestOver extends Schema.TaggedError<RequestOver>()("RequestOver", {
  /** `not pushed`: the parameters came without `request_uri`. */
  reason: Schema.Literals(["over", "not pushed"])
}) {}
