import { takePoint } from "../../../limits/clientLimits.ts"
import * as Effect from "effect/Effect"
import { Config } from "../../../../services/host/Config.ts"
import { Mailer } from "../../../../services/mail/Mailer.ts"
import { requestReset, resetPassword } from "../../../sessions/passwordReset.ts"
import { accountBehind } from "../../../sessions/signInGate.ts"
import { html } from "../../html.ts"
import { type Page, redirectTo, showPage } from "../../layout.ts"
import { field, hidden, newPassword, noteOf, type Wrong } from "../../parts.ts"
import { type Sent, sentForm, type Visitor, visitor } from "../../visitor.ts"
import { pathOf } from "../frame.ts"
import { codeField } from "../mailedCode.ts"
import { common } from "../../text/common.ts"
import { sentenceOf } from "../../text/refusals.ts"
import { codes } from "../../text/settings.ts"
import { forgotten as text } from "../../text/signIn.ts"
import { rules } from "../../../../services/limits/rules.ts"

const back = html`<p class="hint"><a href="/account/sign-in">${text.back}</a></p>`

const askPage = Effect.fnUntraced(function* ({ csrf, cookies }: Visitor) {
  const { delivers } = yield* Mailer
  const body = html`<h1>${text.title}</h1>
    <p class="lead">${delivers ? text.leadByMail : text.leadWithoutMail}</p>
    <form method="post" action="/account/forgot">
      ${hidden({ csrf })}
      ${field({
        name: "identifier",
        label: text.identifier,
        autocomplete: "username",
        autofocus: true,
        maxLength: 254
      })}
      <button type="submit">${delivers ? text.send : text.request}</button>
    </form>
    <p class="hint"><a href="/account/reset">${text.haveCode}</a></p>
    ${back}`
  return { title: text.title, body, cookies } satisfies Page as Page
})

const resetPage = Effect.fnUntraced(function* (
  { csrf, cookies }: Visitor,
  wrong?: Wrong,
  code?: string
) {
  const { delivers } = yield* Mailer
  const body = html`<h1>${text.resetTitle}</h1>
    <p class="lead">${text.resetLead}</p>
    ${noteOf(wrong)}
    <form method="post" action="/account/reset">
      ${hidden({ csrf })}
      ${codeField(wrong, code, delivers ? codes.hintByMail : text.hintWithoutMail)}
      ${newPassword(wrong, { name: "password", label: common.newPassword, hint: common.passwordRule })}
      ${newPassword(wrong, { name: "again", label: common.repeatPassword })}
      <button type="submit">${common.changePassword}</button>
    </form>
    <p class="hint">${text.everyoneOut} <a href="/account/forgot">${text.sendAnother}</a></p>
    ${back}`
  const status = wrong === undefined ? 200 : 400
  return { title: text.resetTitle, body, cookies, status } satisfies Page as Page
})

/** The pages for a forgotten password, by the rest of their path. */
const forgottenPages = { forgot: askPage, reset: resetPage } as const

/** The name of such a page. */
export type ForgottenName = keyof typeof forgottenPages

/** Whether a name is one of these pages. */
export const isForgottenName = (name: string): name is ForgottenName =>
  Object.hasOwn(forgottenPages, name)

/** `GET /account/forgot`, `GET /account/reset` */
export const lookAtForgotten = Effect.fnUntraced(function* (request: Request, name: ForgottenName) {
  const page = yield* forgottenPages[name](yield* visitor(request))
  return showPage(page, yield* Config)
})

/** Requests a code; the response doesn't reveal whether the account exists. */
const ask = Effect.fn("account.forgot")(function* (request: Request, { form }: Sent) {
  yield* takePoint(request, rules.requestPasswordReset)
  yield* requestReset(accountBehind(form.get("identifier") ?? ""))
  return redirectTo(pathOf("reset"), yield* Config)
})

/** Sets the new password, or shows the form again. */
const reset = Effect.fn("account.reset")(function* (request: Request, { visitor, form }: Sent) {
  const config = yield* Config
  const code = form.get("code") ?? ""
  const again = (field: string, text: string) =>
    Effect.map(resetPage(visitor, { field, text }, code), (page) => showPage(page, config))
  const password = form.get("password") ?? ""
  if (password !== form.get("again")) {
    return yield* again("again", common.passwordsDiffer)
  }
  const done = redirectTo(pathOf("sign-in", { done: "password-reset" }), config)
  yield* takePoint(request, rules.resetPassword)
  return yield* resetPassword({ code, password }).pipe(
    Effect.as(done),
    Effect.catchTags({
      CodeInvalid: () => again("code", codes.wrong),
      CodeExpired: () => again("code", codes.expired),
      SignUpRefused: (refused) => again("password", sentenceOf(refused))
    })
  )
})

/** `POST /account/forgot`, `POST /account/reset` */
export const sendForgotten = Effect.fnUntraced(function* (request: Request, name: ForgottenName) {
  const sent = yield* sentForm(request)
  return yield* name === "forgot" ? ask(request, sent) : reset(request, sent)
})
