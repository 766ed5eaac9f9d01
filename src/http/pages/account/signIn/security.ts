import * as Effect from "effect/Effect"
import type { SecurityView } from "../../../../services/sessions/calls.ts"
import { type Html, html } from "../../html.ts"
import type { Wrong } from "../../parts.ts"
import { dropPasskey } from "../../../factors/newPasskey.ts"
import { type AccountPage, accountForm, type Action, done, framed, hrefOf } from "../frame.ts"
import { shown } from "../../layout.ts"
import type { Owner } from "../owner.ts"
import { refusalOf } from "../refusal.ts"
import { emailFactorPart } from "./emailFactor.ts"
import { agoInWords, dayInWords } from "../words.ts"
import { security as text } from "../../text/security.ts"

type Passkey = SecurityView["passkeyList"][number]

const passkeyRow = (owner: Owner, { id, name, createdAt, usedAt }: Passkey): Html =>
  html`<li class="row top-aligned">
    <span class="grow"
      ><strong>${name}</strong
      ><small
        >${text.passkeyDates(dayInWords(createdAt), usedAt === undefined ? undefined : agoInWords(usedAt, owner.now))}.</small
      >
      <details>
        <summary>${text.rename}</summary>
        ${accountForm(owner, {
          action: "passkeys/rename",
          fields: { passkey: id },
          content: html`<div class="joined">
            <input
              name="name"
              type="text"
              required
              maxlength="64"
              autocomplete="off"
              value="${name}"
              aria-label="${text.newNameOf(name)}"
            /><button type="submit" class="small quiet">${text.rename}</button>
          </div>`
        })}
      </details></span
    >
    ${accountForm(owner, {
      action: "passkeys/remove",
      fields: { passkey: id },
      inline: true,
      content: html`<button type="submit" class="small quiet">${text.remove}</button>`
    })}
  </li>`

const passkeys = (owner: Owner): Html => {
  const { passkeyList } = owner.view
  return html`<h2>${text.passkeys}</h2>
    ${
      passkeyList.length === 0
        ? html`<p class="hint">${text.noPasskeys}</p>`
        : html`<ul class="list">
            ${passkeyList.map((passkey) => passkeyRow(owner, passkey))}
          </ul>`
    }
    <a class="button quiet" href="${hrefOf(owner, "passkey")}">${text.addPasskey}</a>`
}

const authenticator = (owner: Owner): Html => {
  const { authenticatorSince, recoveryCodesLeft } = owner.view
  const isOn = authenticatorSince !== undefined
  return html`<h2>${text.authenticator}</h2>
    ${
      isOn
        ? html`<p>${text.authenticatorOn(dayInWords(authenticatorSince), recoveryCodesLeft)}</p>`
        : html`<p class="hint">${text.authenticatorOff}</p>`
    }
    <a class="button quiet" href="${hrefOf(owner, "authenticator")}"
      >${isOn ? text.manage : text.setUp}</a
    >`
}

const page = Effect.fnUntraced(function* (owner: Owner, wrong?: Wrong) {
  return framed(owner, {
    title: text.title,
    tab: "security",
    wrong,
    body: html`<h2>${text.password}</h2>
      ${!owner.view.hasPassword && html`<p class="hint">${text.noPassword}</p>`}
      <a class="button quiet" href="${hrefOf(owner, "password")}"
        >${owner.view.hasPassword ? text.changePassword : text.setPassword}</a
      >
      ${passkeys(owner)} ${authenticator(owner)} ${yield* emailFactorPart(owner)}`
  })
})

/** `/account/security`: password, passkeys and authenticator. */
export const securityPage: AccountPage = { show: (owner) => page(owner) }

/** Removes a passkey, unless it is the owner's only way to sign in. */
export const removePasskey: Action = {
  proof: true,
  page: "security",
  run: Effect.fn("account.removePasskey")(function* (owner, form) {
    const { did } = owner.view
    const id = form.get("passkey") ?? ""
    const refused = yield* dropPasskey(did, id).pipe(
      Effect.as(undefined),
      Effect.catchTags({ LastPasskey: refusalOf, RepoNotFound: refusalOf })
    )
    if (refused !== undefined) return shown(yield* page(owner, { text: refused }))
    return done("security", "passkey-gone")
  })
}
