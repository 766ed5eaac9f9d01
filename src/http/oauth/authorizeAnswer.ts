import * as Effect from "effect/Effect"
import { allowedOf, rememberedConsent } from "../../core/oauth/scopeChoices.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { grantCode, redirectFor } from "../../services/oauth/authorize.ts"
import { OAuthRequests } from "../../services/oauth/OAuthRequests.ts"
import type { Form } from "../pages/browser.ts"
import { choicePrefix } from "./consent.ts"
import { asPage } from "../pages/failurePage.ts"
import { handOver } from "./handOver.ts"
import { redirectTo } from "../pages/layout.ts"
import {
  type HereAccount,
  linkTo,
  openRequest,
  openVisit,
  RequestOver,
  situationOf,
  type Visit
} from "./authorizeVisit.ts"
import { sentForm, whereFrom } from "../pages/visitor.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { nextStep } from "./authorizeStep.ts"

const nameIn = (form: Form) => ({
  clientId: form.get("client_id"),
  requestUri: form.get("request_uri")
})

/** The account in a form, unless its owner must sign in again first. */
const accountIn = Effect.fnUntraced(function* (visit: Visit, form: Form) {
  const did = form.get("account")
  const step = nextStep(yield* situationOf(visit, { account: did }))
  if (step.kind !== "consent" || step.did !== did) return undefined
  yield* noteAccount(did)
  return visit.accounts.find((account) => account.did === did)
})

/** The scope values of the ticked boxes. */
const chosenIn = (form: Form): ReadonlySet<string> =>
  new Set(
    [...form].flatMap(([name, value]) => (name.startsWith(choicePrefix) ? value.split(" ") : []))
  )

/** Clients that authenticate need not ask twice. */
const remember = Effect.fnUntraced(function* (
  { client, pending }: Visit,
  { did }: HereAccount,
  allowed: string
) {
  if (pending.clientAuth.method === "none") return
  const scope = rememberedConsent(pending.parameters.scope, allowed)
  const accounts = yield* Accounts
  // The code exists by now; if consent can't be stored, it is asked again next time.
  yield* accounts
    .call(did, "rememberConsent", { clientId: client.id, scope })
    .pipe(Effect.catch((cause) => Effect.logWarning("a consent was not remembered", cause)))
})

/** `POST …/accept`: the user agrees. */
export const postAccept = (request: Request) =>
  asPage(
    Effect.gen(function* () {
      const config = yield* Config
      const { form, visitor } = yield* sentForm(request)
      const visit = yield* openVisit(visitor, nameIn(form))
      const account = yield* accountIn(visit, form)
      // If anything changed since the page was shown, the next page says so.
      if (account?.status !== "active")
        return redirectTo(linkTo(visit, { account: form.get("account") }), config)
      const { requestUri, pending } = visit
      const scope = allowedOf(pending.parameters.scope, chosenIn(form))
      const { did } = account
      const granted = yield* grantCode({
        requestUri,
        device: visitor.device.id,
        did,
        scope,
        from: whereFrom(visitor)
      })
      if (granted === undefined) return yield* new RequestOver({ reason: "over" })
      yield* remember(visit, account, scope)
      const way = redirectFor(config.publicUrl, granted.parameters, granted)
      return handOver(way, config, { direct: true })
    })
  )

/** `POST …/reject`: the user cancels, from any page. */
export const postReject = (request: Request) =>
  asPage(
    Effect.gen(function* () {
      const config = yield* Config
      const { form, visitor } = yield* sentForm(request)
      const { requestUri } = yield* openRequest(visitor, nameIn(form))
      const taken = yield* (yield* OAuthRequests).take(requestUri, visitor.device.id)
      if (taken === undefined) return yield* new RequestOver({ reason: "over" })
      const description = "The user declined the request"
      const answer = { error: "access_denied", description } as const
      const way = redirectFor(config.publicUrl, taken.parameters, answer)
      return handOver(way, config, { direct: form.get("direct") === "yes" })
    })
  )

/** `POST …/reactivate`: the owner reactivates the account and continues. */
export const postReactivate = (request: Request) =>
  asPage(
    Effect.gen(function* () {
      const { form, visitor } = yield* sentForm(request)
      const visit = yield* openVisit(visitor, nameIn(form))
      const account = yield* accountIn(visit, form)
      if (account?.status === "deactivated") {
        yield* (yield* Accounts).call(account.did, "reactivate")
      }
      return redirectTo(linkTo(visit, { account: form.get("account") }), yield* Config)
    })
  )
