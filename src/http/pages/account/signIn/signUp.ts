import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Config } from "../../../../services/host/Config.ts"
import type { Form } from "../../browser.ts"
import { html } from "../../html.ts"
import { type Page, showPage } from "../../layout.ts"
import type { Wrong } from "../../parts.ts"
import { isSignUpFailure, signUpBy, signUpForm, wrongBy } from "../../signUpAttempt.ts"
import { sentForm, visitor, type Visitor } from "../../visitor.ts"
import { pathOf } from "../frame.ts"
import { enter } from "./signIn.ts"
import { common } from "../../text/common.ts"
import { moveIn } from "../../text/moveIn.ts"
import { signUp as text } from "../../text/signUp.ts"

const moveInHref = (invite = "") => pathOf("move-in", { invite })

const formPage = Effect.fnUntraced(function* (
  request: Request,
  { csrf, cookies }: Visitor,
  form: Form,
  wrong?: Wrong
) {
  const place = {
    lead: text.lead,
    action: "/account/sign-up",
    carried: { csrf },
    others: html`<p class="hint"><a href="/account/sign-in">${common.alreadyHaveAccount}</a></p>
      <p class="hint"><a href="${moveInHref(form.get("invite"))}">${moveIn.link}</a></p>`
  }
  const body = yield* signUpForm(request, place, form, wrong)
  const status = wrong === undefined ? 200 : 400
  const page: Page = { title: text.title, body, cookies, status }
  return showPage(page, yield* Config)
})

/** `GET /account/sign-up?invite=`: creates an account without an app, with the invite of a link. */
export const lookAtSignUp = Effect.fnUntraced(function* (request: Request, url: URL) {
  const invite = url.searchParams.get("invite") ?? ""
  return yield* formPage(request, yield* visitor(request), new Map([["invite", invite]]))
})

/** `POST /account/sign-up`: creates an account and signs it in on this device. */
export const postSignUp = Effect.fnUntraced(function* (request: Request) {
  const { form, visitor } = yield* sentForm(request)
  const made = yield* signUpBy(request, form).pipe(
    Effect.map(({ did }) => ({ did })),
    Effect.catchIf(isSignUpFailure, (failure) => Effect.succeed({ wrong: wrongBy(failure) }))
  )
  if ("wrong" in made) return yield* formPage(request, visitor, form, made.wrong)
  const owner = yield* (yield* Accounts).call(made.did, "owner")
  const to = pathOf("", { account: owner.did, done: "made" })
  return yield* enter(visitor, { owner, remembered: true }, to)
})
