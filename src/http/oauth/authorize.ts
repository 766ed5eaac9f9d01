import * as Effect from "effect/Effect"
import { leftOutOf } from "../../core/oauth/scopeChoices.ts"
import { includesOf } from "../../core/oauth/scopes.ts"
import { inPlainWords } from "../../core/oauth/plainWords.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { grantCode, redirectFor } from "../../services/oauth/authorize.ts"
import { OAuthRequests } from "../../services/oauth/OAuthRequests.ts"
import { PermissionSets } from "../../services/oauth/PermissionSets.ts"
import type { OAuthErrorName } from "../../core/oauth/types.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { checkNavigation } from "../pages/browser.ts"
import { chooserPage } from "./chooser.ts"
import { consentPage } from "./consent.ts"
import { asPage } from "../pages/failurePage.ts"
import { formActionTo, handOver } from "./handOver.ts"
import { type Page, showPage } from "../pages/layout.ts"
import { livesAt } from "../pages/livesAt.ts"
import {
  cancel,
  carriedBy,
  type HereAccount,
  leadOf,
  linkTo,
  openVisit,
  paths,
  RequestOver,
  situationOf,
  type Visit
} from "./authorizeVisit.ts"
import { visitor, whereFrom } from "../pages/visitor.ts"
import { inactivePage } from "./authorizeInactive.ts"
import { signInForm } from "./authorizeSignIn.ts"
import { signUpOf } from "./authorizeSignUp.ts"
import { isCovered, isFresh, nextStep, type Situation } from "./authorizeStep.ts"
import { consent as consentText } from "../pages/text/consent.ts"
import { choose as chooseText } from "../pages/text/signIn.ts"

/** Shows a page of a visit; sets the cookie of a new browser. */
const show = Effect.fnUntraced(function* (visit: Visit, page: Page) {
  return showPage({ ...page, cookies: visit.visitor.cookies }, yield* Config)
})

/** What the user decided about a client before, if it authenticates. */
const decided = Effect.fnUntraced(function* ({ pending }: Visit, did: string) {
  const { clientAuth, parameters } = pending
  if (clientAuth.method === "none") return { leftOut: new Set<string>(), isAll: false }
  const { clientId, scope, prompt } = parameters
  const { scope: before } = yield* (yield* Accounts).call(did, "consented", { clientId })
  const isAll = prompt !== "consent" && isCovered(scope, before)
  return { leftOut: leftOutOf(before), isAll }
})

/** Gives the client a code without asking, for what the user allowed before. */
const goOn = Effect.fnUntraced(function* (
  visit: Visit,
  did: string,
  leftOut: ReadonlySet<string>,
  direct: boolean
) {
  const config = yield* Config
  const { requestUri, visitor, pending } = visit
  const asked = pending.parameters.scope.split(" ")
  const scope = asked.filter((value) => !leftOut.has(value)).join(" ")
  const granted = yield* grantCode({
    requestUri,
    device: visitor.device.id,
    did,
    scope,
    from: whereFrom(visitor)
  })
  if (granted === undefined) return yield* new RequestOver({ reason: "over" })
  return handOver(redirectFor(config.publicUrl, granted.parameters, granted), config, { direct })
})

const consent = Effect.fnUntraced(function* (visit: Visit, account: HereAccount) {
  const { client, hint, pending } = visit
  const { redirectUri, scope, uiLocales } = pending.parameters
  if (account.status !== "active") {
    const home = account.status === "deactivated" ? yield* livesAt(account.did) : undefined
    const { suspendedFor } = yield* (yield* Accounts).call(account.did, "owner")
    return yield* show(visit, inactivePage(visit, account, home, suspendedFor))
  }
  const { leftOut, isAll } = yield* decided(visit, account.did)
  if (isAll) return yield* goOn(visit, account.did, leftOut, false)
  const sets = yield* PermissionSets
  const found = yield* Effect.forEach(includesOf(scope), ({ nsid }) =>
    Effect.orElseSucceed(sets.get(nsid), () => undefined)
  )
  const byName = new Map(
    found.flatMap((set) => (set === undefined ? [] : [[set.nsid, set] as const]))
  )
  const body = consentPage({
    client,
    redirectUri,
    scope,
    groups: inPlainWords(scope, byName, uiLocales?.split(" ")),
    leftOut,
    handle: account.handle,
    carried: { ...carriedBy(visit), account: account.did, direct: "yes" },
    actions: paths,
    otherAccount: hint === undefined ? linkTo(visit, { page: "choose" }) : undefined
  })
  const formAction = formActionTo(redirectUri)
  return yield* show(visit, { title: consentText.title, body, formAction })
})

const choose = Effect.fnUntraced(function* (visit: Visit, situation: Situation) {
  const body = chooserPage({
    lead: leadOf(visit),
    choices: visit.accounts.map((account) => ({
      handle: account.handle,
      href: linkTo(visit, { account: account.did }),
      signInAgain: !isFresh(account, situation)
    })),
    another: linkTo(visit, { page: "sign-in" }),
    others: cancel(visit)
  })
  return yield* show(visit, { title: chooseText.title, body })
})

/** `prompt=none`: a response without any page. */
const silently = Effect.fnUntraced(function* (visit: Visit, situation: Situation) {
  const { accounts, hint, pending, requestUri, visitor } = visit
  const refuse = Effect.fnUntraced(function* (error: OAuthErrorName, description: string) {
    const config = yield* Config
    const taken = yield* (yield* OAuthRequests).take(requestUri, visitor.device.id)
    if (taken === undefined) return yield* new RequestOver({ reason: "over" })
    const way = redirectFor(config.publicUrl, pending.parameters, { error, description })
    return handOver(way, config, { direct: true })
  })
  const [first, ...more] = accounts.filter(
    (account) =>
      account.status === "active" &&
      isFresh(account, situation) &&
      (hint === undefined ? pending.parameters.loginHint === undefined : account.did === hint)
  )
  if (first === undefined) return yield* refuse("login_required", "No account is signed in")
  if (more.length > 0) {
    return yield* refuse("account_selection_required", "Several accounts are signed in")
  }
  const { leftOut, isAll } = yield* decided(visit, first.did)
  return isAll
    ? yield* goOn(visit, first.did, leftOut, true)
    : yield* refuse("consent_required", "The user has not allowed this yet")
})

const look = Effect.fnUntraced(function* (request: Request, url: URL) {
  yield* checkNavigation(request)
  const query = url.searchParams
  const name = { clientId: query.get("client_id"), requestUri: query.get("request_uri") }
  if (name.requestUri === null) return yield* new RequestOver({ reason: "not pushed" })
  const visit = yield* openVisit(yield* visitor(request), name)
  const chosen = {
    account: query.get("account") ?? undefined,
    page: query.get("page") ?? undefined
  }
  const situation = yield* situationOf(visit, chosen)
  if (situation.prompt === "none") return yield* silently(visit, situation)
  const step = nextStep(situation)
  const account = visit.accounts.find(({ did }) => "did" in step && did === step.did)
  if (account !== undefined) yield* noteAccount(account.did)
  if (step.kind === "consent" && account !== undefined) return yield* consent(visit, account)
  if (step.kind === "choose") return yield* choose(visit, situation)
  if (step.kind === "sign up") return yield* show(visit, yield* signUpOf(request, visit))
  return yield* show(visit, yield* signInForm(visit, { account }))
})

/** `GET /oauth/authorize`: the next page of a pushed request, or the redirect to the app. */
export const authorize = (request: Request, url: URL) => asPage(look(request, url))
