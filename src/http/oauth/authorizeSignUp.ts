import * as Effect from "effect/Effect"
import { Config } from "../../services/Config.ts"
import { SignUp, type SignUpFailure } from "../../services/SignUp.ts"
import { takePoint } from "../clientLimits.ts"
import { wireError } from "../errors.ts"
import type { Form } from "../pages/browser.ts"
import { asPage } from "../pages/failurePage.ts"
import { html } from "../pages/html.ts"
import { type Page, showPage } from "../pages/layout.ts"
import { signUpPage } from "../pages/signUp.ts"
import { sentForm } from "../pages/visitor.ts"
import { noteAccount } from "../requestLog.ts"
import { signUpLimits } from "../signInGate.ts"
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

/** The sign-up form of a request, with what was filled in before. */
export const signUpForm = Effect.fnUntraced(function* (
  visit: Visit,
  before?: { readonly form: Form; readonly message: string }
) {
  const { handleDomains, inviteRequired } = yield* Config
  const body = signUpPage({
    lead: leadOf(visit),
    action: paths.signUp,
    carried: carriedBy(visit),
    domains: handleDomains,
    inviteRequired,
    filled: {
      name: before?.form.get("name"),
      domain: before?.form.get("domain"),
      email: before?.form.get("email"),
      invite: before?.form.get("invite")
    },
    message: before?.message,
    others: html`<p class="hint">
        <a href="${linkTo(visit, { page: "sign-in" })}">I have an account already</a>
      </p>
      ${cancel(visit)}`
  })
  const status = before === undefined ? 200 : 400
  const page: Page = { title: "Create an account", body, status }
  return page
})

/** Why there is no account, in words. */
const reasonOf = (failure: SignUpFailure): string => {
  if (failure._tag === "HandleNotAvailable") return "That handle is taken. Choose another one."
  if (failure._tag === "EmailTaken") return "An account with that email address is here already."
  if (failure._tag === "InvalidInviteCode")
    return "That invite code is not good, or was used before."
  const { message, status } = wireError(failure)
  return status < 500
    ? `${message}.`
    : "The account could not be made just now. Please try again in a moment."
}

const create = Effect.fnUntraced(function* (request: Request, form: Form) {
  yield* takePoint(request, "createAccount", signUpLimits)
  const invite = form.get("invite")?.trim()
  const name = (form.get("name") ?? "").trim().replace(/^@/, "")
  const domain = form.get("domain") ?? ""
  // Who writes the whole handle means the same.
  const handle = name.endsWith(`.${domain}`) ? name : `${name}.${domain}`
  return yield* (yield* SignUp).create({
    handle,
    email: (form.get("email") ?? "").trim(),
    password: form.get("password") ?? "",
    ...(invite === undefined ? {} : { inviteCode: invite }),
    caller: { kind: "anonymous" }
  })
})

/** `POST …/sign-up`: a new account, signed in on this device at once. */
export const postSignUp = (request: Request) =>
  asPage(
    Effect.gen(function* () {
      const { form, visitor } = yield* sentForm(request)
      const name = { clientId: form.get("client_id"), requestUri: form.get("request_uri") }
      const visit = yield* openVisit(visitor, name)
      const config = yield* Config
      return yield* create(request, form).pipe(
        Effect.tap(({ did }) => Effect.sync(() => noteAccount(request, did))),
        Effect.flatMap(({ did }) => signedIn(visit, { did, remembered: true })),
        Effect.catchIf(isSignUpFailure, (failure) =>
          Effect.map(signUpForm(visit, { form, message: reasonOf(failure) }), (page) =>
            showPage(page, config)
          )
        )
      )
    })
  )

const pageFailures = new Set([
  "RateLimitExceeded",
  "LimiterUnavailable",
  "OAuthStoreUnavailable",
  "DirectoryUnavailable"
])

/** What the form can tell; the rest has a page of its own. */
const isSignUpFailure = (failure: { readonly _tag: string }): failure is SignUpFailure =>
  !pageFailures.has(failure._tag)
