import { type Html, html } from "./html.ts"
import { hostedName } from "./hostedName.ts"
import { fieldIn, hidden, newPassword, note, noteOf, type Wrong } from "./parts.ts"
import type { Carried } from "./signIn.ts"
import { common } from "./text/common.ts"
import { signUp as text } from "./text/signUp.ts"

/** The content of the sign-up page. */
export interface SignUpView {
  readonly lead: string
  readonly action: string
  readonly carried: Carried
  /** Domains for handles, without a leading dot. */
  readonly domains: ReadonlyArray<string>
  readonly inviteRequired: boolean
  /** The rejected input. */
  readonly filled: {
    readonly name?: string | undefined
    readonly domain?: string | undefined
    readonly email?: string | undefined
    readonly invite?: string | undefined
  }
  /** The invite in `filled` can still be used. */
  readonly inviteIsGood: boolean
  readonly wrong?: Wrong | undefined
  readonly others?: Html | undefined
}

/** A confirmation of a valid invite, or the field for one. */
const inviteField = ({ filled, inviteIsGood, inviteRequired, wrong }: SignUpView) => {
  if (!inviteRequired) return undefined
  if (inviteIsGood)
    return html`${note("good", text.inviteGood)}${hidden({ invite: filled.invite })}`
  return fieldIn(wrong, {
    name: "invite",
    label: text.invite,
    autocomplete: "off",
    value: filled.invite,
    hint: text.inviteHint,
    autofocus: true
  })
}

/** The sign-up page. */
export const signUpPage = (view: SignUpView): Html =>
  html`<h1>${text.title}</h1>
    <p class="lead">${view.lead}</p>
    ${noteOf(view.wrong)}
    <form method="post" action="${view.action}">
      ${hidden(view.carried)} ${inviteField(view)}
      ${hostedName(view.wrong, {
        label: text.username,
        autocomplete: "username",
        value: view.filled.name,
        hint: text.usernameHint(view.domains),
        autofocus: view.inviteIsGood || !view.inviteRequired,
        domains: view.domains,
        domain: view.filled.domain,
        domainLabel: text.domain
      })}
      ${fieldIn(view.wrong, {
        name: "email",
        label: common.email,
        type: "email",
        autocomplete: "email",
        value: view.filled.email,
        maxLength: 254
      })}
      ${newPassword(view.wrong, { name: "password", label: common.password, hint: common.passwordRule })}
      <button type="submit">${text.submit}</button>
    </form>
    ${view.others}`
