import * as Effect from "effect/Effect"
import { Config } from "../../../services/host/Config.ts"
import { html } from "../html.ts"
import { type Page, showPage } from "../layout.ts"
import { account, fieldIn, hidden, noteOf, type Wrong } from "../parts.ts"
import { passkeyScript } from "../passkeyScript.ts"
import { passkeyForm } from "../signIn.ts"
import { passkeyChallenge } from "../signInAttempt.ts"
import type { Sent } from "../visitor.ts"
import { type Destination, hrefOf, usernameOf } from "./frame.ts"
import type { Owner } from "./owner.ts"
import { attempt, codeForm, enter, type Way } from "./signIn/signIn.ts"
import { common } from "../text/common.ts"
import { confirm as text } from "../text/signIn.ts"

const actions = {
  password: "/account/confirm",
  code: "/account/confirm/code",
  passkey: "/account/confirm/passkey"
}

/** The page that asks a signed-in person for another proof before it continues to the wanted page. */
export const confirmForm = Effect.fnUntraced(function* (
  owner: Owner,
  to: Destination,
  wrong?: Wrong
) {
  const { view, visitor } = owner
  const carried = { csrf: visitor.csrf, account: view.did, to }
  const password = html`<form method="post" action="${actions.password}">
    ${hidden(carried)} ${usernameOf(view.handle)}
    ${fieldIn(wrong, {
      name: "password",
      label: common.password,
      type: "password",
      autocomplete: "current-password",
      autofocus: true,
      maxLength: 512
    })}
    <button type="submit">${common.continue}</button>
  </form>`
  const challenge = yield* passkeyChallenge(visitor.device.id)
  const label = text.usePasskey
  const body = html`<h1>${text.title}</h1>
    <p class="lead">${text.lead}</p>
    <div class="who">${account(view.handle, view.email)}</div>
    ${noteOf(wrong)} ${view.hasPassword && password}
    ${view.passkeys > 0 && passkeyForm({ action: actions.passkey, carried, challenge, label })}
    <p class="hint"><a href="${hrefOf(owner, "")}">${text.back}</a></p>`
  const status = wrong === undefined ? 200 : 400
  const page: Page = { title: text.title, body, script: passkeyScript, status }
  return page
})

/** `POST /account/confirm…`: continues, or shows the form again. */
export const confirm = Effect.fn("account.confirm")(function* (
  way: Way,
  request: Request,
  sent: Sent,
  owner: Owner,
  to: Destination
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
  const wrong =
    tried.kind === "proven"
      ? { text: text.otherAccountsPasskey }
      : { text: tried.message, field: way === "password" ? "password" : undefined }
  return showPage(yield* confirmForm(owner, to, wrong), config)
})
