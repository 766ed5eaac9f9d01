import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Mailer } from "../../../../services/mail/Mailer.ts"
import { type Html, html } from "../../html.ts"
import type { Wrong } from "../../parts.ts"
import { type AccountPage, accountForm, type Action, done, framed, hrefOf } from "../frame.ts"
import { shown } from "../../layout.ts"
import { codeButton, codeField, refusedBy, sendsCode } from "../mailedCode.ts"
import type { Owner } from "../owner.ts"
import { dayInWords } from "../words.ts"
import { emailFactor as text } from "../../text/security.ts"

const onPage = Effect.fnUntraced(function* (owner: Owner, since: string, wrong?: Wrong) {
  const { email, secondFactor } = owner.view
  const send = codeButton(email)
  const content = html`${codeField(wrong)}
    <button type="submit" class="danger">${text.turnOff}</button>`
  return html`<p class="lead">${text.onSince(dayInWords(Date.parse(since)))}</p>
    ${secondFactor && html`<p>${text.authenticatorFirst}</p>`}
    <h2>${text.turnOffHeading}</h2>
    <p>${text.turnOffLead}</p>
    ${accountForm(owner, { action: "email-factor/send-code", content: send })}
    ${accountForm(owner, { action: "email-factor/off", content })}`
})

const turnOn = (owner: Owner, email: string): Html =>
  html`<p class="lead">${text.lead(email)}</p>
    ${owner.view.secondFactor && html`<p>${text.authenticatorFirst}</p>`}
    ${accountForm(owner, {
      action: "email-factor/on",
      content: html`<button type="submit">${text.turnOn}</button>`
    })}`

const offPage = Effect.fnUntraced(function* (owner: Owner) {
  const { email, emailConfirmed } = owner.view
  if (!(yield* Mailer).delivers) return html`<p>${text.noMail}</p>`
  if (email !== undefined && emailConfirmed) return turnOn(owner, email)
  return html`<p>${text.unconfirmed}</p>
    <a class="button" href="${hrefOf(owner, "email")}">${text.confirmFirst}</a>`
})

const page = Effect.fnUntraced(function* (owner: Owner, wrong?: Wrong) {
  const { emailFactorSince: since } = owner.view
  const body = yield* since === undefined ? offPage(owner) : onPage(owner, since, wrong)
  return framed(owner, { title: text.title, tab: "security", body, wrong })
})

/** `/account/email-factor`: codes by email at sign-in, on or off. */
export const emailFactorPage: AccountPage = { proof: true, show: (owner) => page(owner) }

/** Mails the code that turning it off takes. */
export const sendFactorCode: Action = sendsCode("email-factor", "update_email", page)

/** Turns codes by email on. */
export const turnFactorOn: Action = {
  proof: true,
  page: "email-factor",
  run: Effect.fn("account.emailFactorOn")(function* (owner) {
    const call = (yield* Accounts).call(owner.view.did, "changeEmailFactor", { on: true, code: "" })
    const wrong = yield* refusedBy(call)
    return wrong === undefined
      ? done("security", "email-factor-on")
      : shown(yield* page(owner, wrong))
  })
}

/** Turns codes by email off, with a mailed code. */
export const turnFactorOff: Action = {
  proof: true,
  page: "email-factor",
  run: Effect.fn("account.emailFactorOff")(function* (owner, form) {
    const code = form.get("code") ?? ""
    const call = (yield* Accounts).call(owner.view.did, "changeEmailFactor", { on: false, code })
    const wrong = yield* refusedBy(call, "code")
    return wrong === undefined
      ? done("security", "email-factor-off")
      : shown(yield* page(owner, wrong))
  })
}

/** The part of the sign-in page about codes by email, unless this server sends none. */
export const emailFactorPart = Effect.fnUntraced(function* (owner: Owner) {
  const { emailFactorSince: since } = owner.view
  const isOn = since !== undefined
  if (!isOn && !(yield* Mailer).delivers) return undefined
  return html`<h2>${text.title}</h2>
    <p ${!isOn && html`class="hint"`}>
      ${isOn ? text.onSince(dayInWords(Date.parse(since))) : text.off}
    </p>
    <a class="button quiet" href="${hrefOf(owner, "email-factor")}"
      >${isOn ? text.manage : text.setUp}</a
    >`
})
