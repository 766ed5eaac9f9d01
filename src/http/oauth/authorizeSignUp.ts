import * as Effect from "effect/Effect"
import { Config } from "../../services/host/Config.ts"
import type { Form } from "../pages/browser.ts"
import { asPage } from "../pages/failurePage.ts"
import { html } from "../pages/html.ts"
import { type Page, showPage } from "../pages/layout.ts"
import type { Wrong } from "../pages/parts.ts"
import { isSignUpFailure, signUpBy, signUpForm, wrongBy } from "../pages/signUpAttempt.ts"
import { sentForm } from "../pages/visitor.ts"
import {
  cancel,
  carriedBy,
  leadOf,
  linkTo,
  openVisit,
  paths,
  signedIn,
  type Visit
} from "./authorizeVisit.ts"
import { common } from "../pages/text/common.ts"
import { signUp as text } from "../pages/text/signUp.ts"

/** A request's sign-up page, with the previous input. */
export const signUpOf = Effect.fnUntraced(function* (
  request: Request,
  visit: Visit,
  before?: { readonly form: Form; readonly wrong: Wrong }
) {
  const place = {
    lead: leadOf(visit),
    action: paths.signUp,
    carried: carriedBy(visit),
    others: html`<p class="hint">
        <a href="${linkTo(visit, { page: "sign-in" })}">${common.alreadyHaveAccount}</a>
      </p>
      ${cancel(visit)}`
  }
  const body = yield* signUpForm(request, place, before?.form, before?.wrong)
  const status = before === undefined ? 200 : 400
  const page: Page = { title: text.title, body, status }
  return page
})

/** `POST …/sign-up`: creates an account and signs it in on this device. */
export const postSignUp = (request: Request) =>
  asPage(
    Effect.gen(function* () {
      const { form, visitor } = yield* sentForm(request)
      const name = { clientId: form.get("client_id"), requestUri: form.get("request_uri") }
      const visit = yield* openVisit(visitor, name)
      const config = yield* Config
      return yield* signUpBy(request, form).pipe(
        Effect.flatMap(({ did }) => signedIn(visit, { did, remembered: true })),
        Effect.catchIf(isSignUpFailure, (failure) =>
          Effect.map(signUpOf(request, visit, { form, wrong: wrongBy(failure) }), (page) =>
            showPage(page, config)
          )
        )
      )
    })
  )
