import { type Html, html } from "./html.ts"
import { field, hidden, input, note } from "./parts.ts"
import type { Carried } from "./signIn.ts"
import { common } from "./text/common.ts"
import { signUp as text } from "./text/signUp.ts"

/** What the sign-up page shows. */
export interface SignUpView {
  readonly lead: string
  readonly action: string
  readonly carried: Carried
  /** Domains under which handles are given, without a leading dot. */
  readonly domains: ReadonlyArray<string>
  readonly inviteRequired: boolean
  /** What was filled in before. */
  readonly filled: {
    readonly name?: string | undefined
    readonly domain?: string | undefined
    readonly email?: string | undefined
    readonly invite?: string | undefined
  }
  readonly message?: string | undefined
  readonly others?: Html | undefined
}

const hasInvite = ({ invite = "" }: SignUpView["filled"]): boolean => invite !== ""

const handleField = ({ domains, filled, inviteRequired, message }: SignUpView): Html => {
  const [only = ""] = domains
  const chosen = filled.domain ?? only
  return html`<div class="field">
    <label for="name">${text.username}</label>
    <div class="joined">
      ${input({
        name: "name",
        label: text.username,
        autocomplete: "username",
        value: filled.name,
        hint: "below",
        invalid: message !== undefined,
        autofocus: !inviteRequired || hasInvite(filled),
        maxLength: 63
      })}
      ${
        domains.length > 1
          ? html`<select name="domain" aria-label="${text.domain}">
              ${domains.map(
                (domain) =>
                  html`<option value="${domain}" ${domain === chosen && html` selected`}>
                    .${domain}
                  </option>`
              )}
            </select>`
          : html`<input type="hidden" name="domain" value="${only}" />`
      }
    </div>
    <p class="hint" id="name-hint">${text.usernameHint(domains)}</p>
  </div>`
}

/** The page on which somebody makes an account. */
export const signUpPage = (view: SignUpView): Html =>
  html`<h1>${text.title}</h1>
    <p class="lead">${view.lead}</p>
    ${view.message !== undefined && note("bad", view.message)}
    <form method="post" action="${view.action}">
      ${hidden(view.carried)}
      ${
        view.inviteRequired &&
        field({
          name: "invite",
          label: text.invite,
          autocomplete: "off",
          value: view.filled.invite,
          hint: text.inviteHint,
          autofocus: !hasInvite(view.filled)
        })
      }
      ${handleField(view)}
      ${field({ name: "email", label: common.email, type: "email", autocomplete: "email", value: view.filled.email })}
      ${field({ name: "password", label: common.password, type: "password", autocomplete: "new-password", hint: common.passwordRule, maxLength: 256 })}
      <button type="submit">${text.submit}</button>
    </form>
    ${view.others}`
