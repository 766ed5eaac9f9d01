import * as Effect from "effect/Effect"
import { Config } from "../../services/host/Config.ts"
import type { Form } from "../pages/browser.ts"
import { clientName } from "./consent.ts"
import { asPage } from "../pages/failurePage.ts"
import { html } from "../pages/html.ts"
import { keepDevice } from "../pages/cookies.ts"
import { type Page, redirectTo, showPage } from "../pages/layout.ts"
import { passkeyScript } from "../pages/passkeyScript.ts"
import { codePage, signInPage } from "../pages/signIn.ts"
import {
  type Attempt,
  byCode,
  byPasskey,
  byPassword,
  keepSignedIn,
  passkeyChallenge
} from "../pages/signInAttempt.ts"
import { type Sent, sentForm } from "../pages/visitor.ts"
import {
  cancel,
  carriedBy,
  type HereAccount,
  linkTo,
  openVisit,
  paths,
  situationOf,
  type Visit
} from "./authorizeVisit.ts"
import { common } from "../pages/text/common.ts"
import { secondStep, signIn as text } from "../pages/text/signIn.ts"

const actions = { password: paths.signIn, code: paths.code, passkey: paths.passkey }

/** The links below the forms: other accounts, sign-up, cancel. */
const othersOf = Effect.fnUntraced(function* (visit: Visit) {
  const { canSignUp } = yield* situationOf(visit)
  const choose = visit.accounts.length > 0 && visit.hint === undefined
  return html`<p class="hint">
      ${choose && html`<a href="${linkTo(visit, { page: "choose" })}">${common.chooseAnotherAccount}</a> · `}
      ${canSignUp && html`<a href="${linkTo(visit, { page: "sign-up" })}">${common.createAccount}</a>`}
    </p>
    ${cancel(visit)}`
})

/** A request's sign-in form; locked if the account is fixed. */
export const signInForm = Effect.fnUntraced(function* (
  visit: Visit,
  shown: {
    readonly account?: HereAccount | undefined
    readonly identifier?: string | undefined
    readonly remember?: boolean
    readonly message?: string
  }
) {
  const { account, message } = shown
  const view = {
    lead: text.toApp(clientName(visit.client)),
    actions,
    carried: carriedBy(visit),
    challenge: yield* passkeyChallenge(visit.visitor.device.id),
    identifier:
      visit.hint === undefined
        ? (account?.handle ?? shown.identifier ?? visit.suggested)
        : visit.suggested,
    locked: visit.hint !== undefined || account !== undefined,
    remember: shown.remember ?? account?.remembered ?? true,
    message,
    others: yield* othersOf(visit)
  }
  const status = message === undefined ? 200 : 400
  const page: Page = { title: text.title, body: signInPage(view), script: passkeyScript, status }
  return page
})

const codeForm = Effect.fnUntraced(function* (
  visit: Visit,
  { ticket, factor, message, notice }: Extract<Attempt, { kind: "code" }>,
  remember: boolean
) {
  const view = {
    actions,
    carried: carriedBy(visit),
    challenge: yield* passkeyChallenge(visit.visitor.device.id),
    ticket,
    factor,
    remember,
    message,
    notice,
    others: cancel(visit)
  }
  const status = message === undefined ? 200 : 400
  const page: Page = {
    title: secondStep.title,
    body: codePage(view),
    script: passkeyScript,
    status
  }
  return page
})

/** Continues after an attempt: signed in, or back to the form. */
const after = Effect.fnUntraced(function* (visit: Visit, form: Form, attempt: Attempt) {
  const config = yield* Config
  const remember = form.get("remember") === "on"
  if (attempt.kind === "proven") {
    const { did, handle } = attempt.owner
    if (visit.hint === undefined || visit.hint === did) {
      const kept = yield* keepSignedIn(visit.visitor.device.id, attempt.owner, remember)
      const next = linkTo(visit, kept.isIn ? { account: did } : { page: "sign-in" })
      return redirectTo(next, config, [keepDevice(kept.cookie, config)])
    }
    const message = text.otherAccount(handle)
    return showPage(yield* signInForm(visit, { message }), config)
  }
  if (attempt.kind === "code") return showPage(yield* codeForm(visit, attempt, remember), config)
  const { message } = attempt
  const identifier = form.get("identifier")
  return showPage(yield* signInForm(visit, { identifier, remember, message }), config)
})

const opened = Effect.fnUntraced(function* ({ visitor, form }: Sent) {
  const name = { clientId: form.get("client_id"), requestUri: form.get("request_uri") }
  return yield* openVisit(visitor, name)
})

const field = (form: Form, name: string): string => form.get(name) ?? ""

/** `POST …/sign-in`: name and password. */
export const postSignIn = (request: Request) =>
  asPage(
    Effect.gen(function* () {
      const sent = yield* sentForm(request)
      const visit = yield* opened(sent)
      const { form, visitor } = sent
      const attempt = yield* byPassword(request, visitor.device.id, {
        identifier: field(form, "identifier"),
        password: field(form, "password")
      })
      return yield* after(visit, form, attempt)
    })
  )

/** `POST …/code`: the second factor, after the password. */
export const postCode = (request: Request) =>
  asPage(
    Effect.gen(function* () {
      const sent = yield* sentForm(request)
      const visit = yield* opened(sent)
      const { form, visitor } = sent
      const attempt = yield* byCode(visitor.device.id, {
        ticket: field(form, "ticket"),
        code: field(form, "code"),
        another: form.get("another") === "on"
      })
      return yield* after(visit, form, attempt)
    })
  )

/** `POST …/passkey`: a passkey's signature. */
export const postPasskey = (request: Request) =>
  asPage(
    Effect.gen(function* () {
      const sent = yield* sentForm(request)
      const visit = yield* opened(sent)
      const { form, visitor } = sent
      const attempt = yield* byPasskey(request, visitor.device.id, {
        ticket: form.get("challenge"),
        credential: form.get("credential")
      })
      return yield* after(visit, form, attempt)
    })
  )
