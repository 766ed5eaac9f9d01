import * as Effect from "effect/Effect"
import { Config } from "../../../services/host/Config.ts"
import { html } from "../html.ts"
import { type Page, showPage } from "../layout.ts"
import { account, field, hidden, note } from "../parts.ts"
import { passkeyScript } from "../passkeyScript.ts"
import { passkeyForm } from "../signIn.ts"
import { passkeyChallenge } from "../signingIn.ts"
import type { Sent } from "../visitor.ts"
import { hrefOf, type PageName, usernameOf } from "./frame.ts"
import type { Owner } from "./owner.ts"
import { attempt, codeForm, enter, type Way } from "./signIn/signIn.ts"

const actions = {
  password: "/account/confirm",
  code: "/account/confirm/code",
  passkey: "/account/confirm/passkey"
}

/** The page on which somebody who is signed in shows once more who they are, and then goes on to another. */
export const confirmForm = Effect.fnUntraced(function* (
  owner: Owner,
  to: PageName,
  message?: string
) {
  const { view, visitor } = owner
  const carried = { csrf: visitor.csrf, account: view.did, to }
  const password = html`<form method="post" action="${actions.password}">
    ${hidden(carried)} ${usernameOf(view.handle)}
    ${field({
      name: "password",
      label: "Password",
      type: "password",
      autocomplete: "current-password",
      invalid: message !== undefined,
      autofocus: true,
      maxLength: 512
    })}
    <button type="submit">Continue</button>
  </form>`
  const challenge = yield* passkeyChallenge(visitor.device.id)
  const label = "Use a passkey"
  const body = html`<h1>Confirm that it is you</h1>
    <p class="lead">
      What comes next decides who can get into your account. You are asked once in a quarter of an
      hour.
    </p>
    <div class="who">${account(view.handle, view.email)}</div>
    ${message !== undefined && note("bad", message)} ${view.hasPassword && password}
    ${view.passkeys > 0 && passkeyForm({ action: actions.passkey, carried, challenge, label })}
    <p class="hint"><a href="${hrefOf(owner, "")}">Back to your account</a></p>`
  const status = message === undefined ? 200 : 400
  const page: Page = { title: "Confirm that it is you", body, script: passkeyScript, status }
  return page
})

/** `POST /account/confirm…`: confirmed, or the form once more. */
export const confirm = Effect.fn("account.confirm")(function* (
  way: Way,
  request: Request,
  sent: Sent,
  owner: Owner,
  to: PageName
) {
  const config = yield* Config
  const { view, visitor } = owner
  const { did } = view
  const { remembered } = owner.account
  const tried = yield* attempt(way, request, sent, did)
  if (tried.kind === "proven" && tried.owner.did === did) {
    const account = { owner: tried.owner, remembered }
    return yield* enter(visitor, account, hrefOf(owner, to, "confirmed"))
  }
  if (tried.kind === "code") {
    const carried = { account: did, to }
    return showPage(
      yield* codeForm(visitor, tried, { actions, carried, remember: remembered }),
      config
    )
  }
  const message =
    tried.kind === "proven" ? "That is the passkey of another account." : tried.message
  return showPage(yield* confirmForm(owner, to, message), config)
})
