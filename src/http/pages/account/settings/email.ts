import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Mailer } from "../../../../services/mail/Mailer.ts"
import { type Html, html } from "../../html.ts"
import { fieldIn, type Wrong } from "../../parts.ts"
import { type AccountPage, accountForm, type Action, done, framed } from "../frame.ts"
import { shown } from "../../layout.ts"
import { codeButton, codeField, refusedBy, sendsCode, waitingCode } from "../mailedCode.ts"
import type { Owner } from "../owner.ts"
import { email as text } from "../../text/settings.ts"

/** The input of a rejected form, and its error. */
interface Filled {
  readonly email?: string
  readonly code?: string
  readonly form: "change" | "confirm"
  readonly wrong: Wrong
}

const confirmation = (owner: Owner, filled: Filled | undefined): Html =>
  html`<h2>${text.confirmHeading}</h2>
    <p class="hint">${text.confirmHint}</p>
    ${accountForm(owner, { action: "email/send-confirmation", content: codeButton(owner.view.email) })}
    ${accountForm(owner, {
      action: "email/confirm",
      content: html`${codeField(filled?.wrong, filled?.code)}<button type="submit">
          ${text.confirm}
        </button>`
    })}`

const change = (owner: Owner, areMailed: boolean, filled: Filled | undefined): Html => {
  const { view } = owner
  // Without mail, the recent proof that this page takes replaces the code.
  const isProtected = areMailed && view.email !== undefined && view.emailConfirmed
  return html`<h2>${view.email === undefined ? text.addHeading : text.changeHeading}</h2>
    ${
      isProtected &&
      html`<p class="hint">${text.changeHint}</p>
        ${accountForm(owner, { action: "email/send-change", content: codeButton(view.email) })}`
    }
    ${accountForm(owner, {
      action: "email",
      content: html`${isProtected && codeField(filled?.wrong, filled?.code)}
        ${fieldIn(filled?.wrong, {
          name: "email",
          label: text.newAddress,
          type: "email",
          autocomplete: "email",
          value: filled?.email,
          maxLength: 254
        })} <button type="submit">${text.change}</button>`
    })}`
}

const filledIn = (form: Filled["form"], filled: Filled | undefined) =>
  filled?.form === form ? filled : undefined

const page = Effect.fnUntraced(function* (owner: Owner, wrong?: Wrong, filled?: Filled) {
  const { email, emailConfirmed } = owner.view
  const { delivers: areMailed } = yield* Mailer
  const body = html`<p class="lead">
      ${email === undefined ? text.none : text.lead(email, areMailed ? emailConfirmed : undefined)}
    </p>
    ${areMailed && email !== undefined && !emailConfirmed && confirmation(owner, filledIn("confirm", filled))}
    ${yield* waitingCode(owner, ["confirm_email", "update_email"])}
    ${change(owner, areMailed, filledIn("change", filled))}`
  return framed(owner, { title: text.title, tab: "settings", body, wrong })
})

/** `/account/email` */
export const emailPage: AccountPage = { proof: true, show: (owner) => page(owner) }

/** Sends a code to the address, to confirm it. */
export const sendConfirmation: Action = sendsCode("email", "confirm_email", page)

/** Sends a code to the current address, before it changes. */
export const sendChange: Action = sendsCode("email", "update_email", page)

/** Confirms the address with the code sent to it. */
export const confirmAddress: Action = {
  proof: true,
  page: "email",
  run: Effect.fn("account.confirmEmail")(function* (owner, form) {
    const code = form.get("code") ?? ""
    const call = (yield* Accounts).call(owner.view.did, "confirmEmail", { code })
    const wrong = yield* refusedBy(call)
    if (wrong === undefined) return done("email", "email-confirmed")
    return shown(yield* page(owner, wrong, { code, form: "confirm", wrong }))
  })
}

/** Changes the account's address; a confirmed one needs a code first. */
export const changeEmail: Action = {
  proof: true,
  page: "email",
  run: Effect.fn("account.changeEmail")(function* (owner, form) {
    const email = form.get("email") ?? ""
    const code = form.get("code") ?? ""
    const call = (yield* Accounts).call(owner.view.did, "updateEmail", { email, code })
    const wrong = yield* refusedBy(call, "email")
    if (wrong === undefined) return done("email", "email-changed")
    return shown(yield* page(owner, wrong, { email, code, form: "change", wrong }))
  })
}
