import type { Factor } from "../../services/factors/SecondFactorProof.ts"
import { type Html, html } from "./html.ts"
import { checkbox, field, fieldIn, hidden, note } from "./parts.ts"
import type { Challenge } from "./signInAttempt.ts"
import { common } from "./text/common.ts"
import { secondStep, signIn as text } from "./text/signIn.ts"

/** The hidden fields of a form, including the CSRF token. */
export type Carried = Readonly<Record<string, string | undefined>>

/** A button for a passkey, visible if the browser supports passkeys. */
export const passkeyForm = (form: {
  readonly action: string
  readonly carried: Carried
  readonly challenge: Challenge
  readonly label: string
}): Html => {
  const { action, carried, challenge, label } = form
  const options = JSON.stringify(challenge.options)
  return html`<form
    method="post"
    action="${action}"
    data-passkey="get"
    data-options="${options}"
    hidden
  >
    ${hidden({ ...carried, challenge: challenge.ticket })}
    <input type="hidden" name="credential" />
    <button type="submit" class="quiet">${label}</button>
    <p class="hint" role="status"></p>
  </form>`
}

/** The content of the sign-in page. */
export interface SignInView {
  /** Below the heading: the app, or the reason. */
  readonly lead: string
  /** The routes for password and passkey. */
  readonly actions: { readonly password: string; readonly passkey: string }
  readonly carried: Carried
  readonly challenge: Challenge
  readonly identifier?: string | undefined
  /** The account is fixed; its name can't be edited. */
  readonly locked?: boolean
  readonly remember?: boolean
  readonly message?: string | undefined
  /** Alternatives, below the form. */
  readonly others?: Html | undefined
}

/** The sign-in page: name and password, or a passkey. */
export const signInPage = (view: SignInView): Html => {
  const { actions, carried, challenge, identifier, locked = false, message } = view
  const invalid = message !== undefined
  return html`<h1>${text.title}</h1>
    <p class="lead">${view.lead}</p>
    ${message !== undefined && note("bad", message)}
    <form method="post" action="${actions.password}">
      ${hidden(carried)}
      ${field({
        name: "identifier",
        label: text.identifier,
        autocomplete: "username",
        value: identifier,
        locked,
        invalid: invalid && !locked,
        autofocus: identifier === undefined
      })}
      ${field({
        name: "password",
        label: common.password,
        type: "password",
        autocomplete: "current-password",
        invalid,
        autofocus: identifier !== undefined,
        maxLength: 512
      })}
      ${checkbox("remember", text.remember, view.remember ?? true)}
      <button type="submit">${common.signIn}</button>
    </form>
    <p class="hint"><a href="/account/forgot" target="_blank">${text.forgot}</a></p>
    ${passkeyForm({
      action: actions.passkey,
      carried: { ...carried, remember: "on" },
      challenge,
      label: text.withPasskey
    })}
    ${view.others}`
}

/** The content of the second step's page. */
export interface CodeView {
  readonly actions: { readonly code: string; readonly passkey: string }
  readonly carried: Carried
  readonly challenge: Challenge
  /** Proves that the password was right. */
  readonly ticket: string
  readonly factor: Factor
  readonly remember: boolean
  readonly notice?: string | undefined
  readonly message?: string | undefined
  readonly others?: Html | undefined
}

/** The page that asks for a code, after the password. */
export const codePage = (view: CodeView): Html => {
  const { actions, carried, challenge, ticket, message, notice } = view
  const remember = view.remember ? "on" : undefined
  const byMail = view.factor === "email"
  return html`<h1>${secondStep.title}</h1>
    <p class="lead">${byMail ? secondStep.mailedLead : secondStep.lead}</p>
    ${notice !== undefined && note("good", notice)}
    <form method="post" action="${actions.code}">
      ${hidden({ ...carried, ticket, remember })}
      ${fieldIn(message === undefined ? undefined : { text: message, field: "code" }, {
        name: "code",
        label: common.code,
        autocomplete: "one-time-code",
        hint: byMail ? secondStep.mailedHint : secondStep.hint,
        autofocus: true,
        maxLength: 32
      })}
      <button type="submit">${common.continue}</button>
      ${byMail && html`<button type="submit" class="quiet" name="another" value="on" formnovalidate>${secondStep.another}</button>`}
    </form>
    ${passkeyForm({
      action: actions.passkey,
      carried: { ...carried, remember },
      challenge,
      label: secondStep.passkeyInstead
    })}
    ${view.others}`
}
