import * as Effect from "effect/Effect"
import type { OwnerView } from "../../../../services/sessions/ownerView.ts"
import { Config } from "../../../../services/host/Config.ts"
import type { Form } from "../../browser.ts"
import { keepDevice } from "../../cookies.ts"
import { type Html, html } from "../../html.ts"
import { type Page, redirectTo, showPage } from "../../layout.ts"
import { passkeyScript } from "../../passkeyScript.ts"
import { codePage, signInPage } from "../../signIn.ts"
import {
  type Attempt,
  byCode,
  byPasskey,
  byPassword,
  keepSignedIn,
  passkeyChallenge
} from "../../signInAttempt.ts"
import type { Sent, Visitor } from "../../visitor.ts"
import { type Destination, type Handled, pathOf } from "../frame.ts"
import { common } from "../../text/common.ts"
import { secondStep, signIn as text } from "../../text/signIn.ts"

/** The ways to sign in, by the rest of their path. */
export type Way = "password" | "code" | "passkey"

/** Tries a way to sign in with a form's input. */
export const attempt = (
  way: Way,
  request: Request,
  { visitor, form }: Sent,
  identifier = form.get("identifier") ?? ""
): Handled<Attempt> => {
  const device = visitor.device.id
  const text = (name: string) => form.get(name) ?? ""
  switch (way) {
    case "password":
      return byPassword(request, device, { identifier, password: text("password") })
    case "code":
      return byCode(device, {
        ticket: text("ticket"),
        code: text("code"),
        another: form.get("another") === "on"
      })
    case "passkey":
      return byPasskey(request, device, {
        ticket: form.get("challenge"),
        credential: form.get("credential")
      })
  }
}

/** Signs an account in on the device, with a new cookie, and redirects to a page. */
export const enter = Effect.fn("account.enter")(function* (
  visitor: Visitor,
  { owner, remembered }: { readonly owner: OwnerView; readonly remembered: boolean },
  to: string
) {
  const config = yield* Config
  const { cookie, isIn } = yield* keepSignedIn(visitor.device.id, owner, remembered)
  return redirectTo(isIn ? to : pathOf("sign-in"), config, [keepDevice(cookie, config)])
})

const actions = {
  password: "/account/sign-in",
  code: "/account/sign-in/code",
  passkey: "/account/sign-in/passkey"
}

const others: Html = html`<p class="hint">
  <a href="/account/sign-in">${secondStep.startAgain}</a>
</p>`

/** The sign-in form of the account's pages. */
export const signInForm = Effect.fnUntraced(function* (
  visitor: Visitor,
  to: Destination,
  filled: {
    readonly identifier?: string | undefined
    readonly remember?: boolean
    readonly message?: string
    readonly notice?: string | undefined
  } = {}
) {
  const { message } = filled
  const body = signInPage({
    ...filled,
    lead: filled.notice ?? text.toManage,
    actions,
    carried: { csrf: visitor.csrf, to },
    challenge: yield* passkeyChallenge(visitor.device.id),
    others: html`<p class="hint"><a href="/account/sign-up">${common.createAccount}</a></p>`
  })
  const status = message === undefined ? 200 : 400
  const { cookies } = visitor
  return { title: text.title, body, script: passkeyScript, status, cookies } satisfies Page as Page
})

/** The form for a code after the password; includes the fields in `carried`. */
export const codeForm = Effect.fnUntraced(function* (
  visitor: Visitor,
  { ticket, factor, message, notice }: Extract<Attempt, { kind: "code" }>,
  form: {
    readonly actions: { readonly code: string; readonly passkey: string }
    readonly carried: Readonly<Record<string, string>>
    readonly remember: boolean
    readonly others?: Html
  }
) {
  const challenge = yield* passkeyChallenge(visitor.device.id)
  const carried = { csrf: visitor.csrf, ...form.carried }
  const body = codePage({ ...form, carried, challenge, ticket, factor, message, notice })
  const status = message === undefined ? 200 : 400
  return { title: secondStep.title, body, script: passkeyScript, status } satisfies Page as Page
})

/** `POST /account/sign-in…`: signs in, or shows the form again. */
export const signIn = Effect.fn("account.signIn")(function* (
  way: Way,
  request: Request,
  sent: Sent,
  to: Destination
) {
  const config = yield* Config
  const { visitor, form } = sent
  const remember = isRemembered(form)
  const tried = yield* attempt(way, request, sent)
  if (tried.kind === "proven") {
    const { did } = tried.owner
    const account = { owner: tried.owner, remembered: remember }
    return yield* enter(visitor, account, pathOf(to, { account: did }))
  }
  if (tried.kind === "code") {
    const page = yield* codeForm(visitor, tried, { actions, carried: { to }, remember, others })
    return showPage(page, config)
  }
  const { message } = tried
  const identifier = form.get("identifier")
  return showPage(yield* signInForm(visitor, to, { identifier, remember, message }), config)
})

const isRemembered = (form: Form): boolean => form.get("remember") === "on"
