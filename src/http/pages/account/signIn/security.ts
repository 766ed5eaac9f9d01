import * as Effect from "effect/Effect"
import type { SecurityView } from "../../../../services/sessions/securityCalls.ts"
import { type Html, html } from "../../html.ts"
import { dropPasskey } from "../../../factors/newPasskey.ts"
import {
  type AccountPage,
  accountForm,
  type Action,
  done,
  framed,
  hrefOf,
  shown
} from "../frame.ts"
import type { Owner } from "../owner.ts"
import { refusalOf } from "../refusal.ts"
import { agoInWords, dayInWords } from "../words.ts"

type Passkey = SecurityView["passkeyList"][number]

const passkeyRow = (owner: Owner, { id, name, createdAt, usedAt }: Passkey): Html =>
  html`<li class="row top-aligned">
    <span class="grow"
      ><strong>${name}</strong
      ><small
        >Added on ${dayInWords(createdAt)},
        ${usedAt === undefined ? "not used yet" : `last used ${agoInWords(usedAt, owner.now)}`}.</small
      >
      <details>
        <summary>Rename</summary>
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
              aria-label="New name of “${name}”"
            /><button type="submit" class="small quiet">Rename</button>
          </div>`
        })}
      </details></span
    >
    ${accountForm(owner, {
      action: "passkeys/remove",
      fields: { passkey: id },
      inline: true,
      content: html`<button type="submit" class="small quiet">Remove</button>`
    })}
  </li>`

const passkeys = (owner: Owner): Html => {
  const { passkeyList } = owner.view
  return html`<h2>Passkeys</h2>
    ${
      passkeyList.length === 0
        ? html`<p class="hint">
            None yet. A passkey signs you in by your fingerprint, your face or a PIN, and no page of
            a stranger can get it out of you.
          </p>`
        : html`<ul class="list">
            ${passkeyList.map((passkey) => passkeyRow(owner, passkey))}
          </ul>`
    }
    <a class="button quiet" href="${hrefOf(owner, "passkey")}">Add a passkey</a>`
}

const authenticator = (owner: Owner): Html => {
  const { authenticatorSince, recoveryCodesLeft } = owner.view
  const isOn = authenticatorSince !== undefined
  return html`<h2>Authenticator</h2>
    ${
      isOn
        ? html`<p>
            On since ${dayInWords(authenticatorSince)}: whoever signs in with your password needs a
            code as well. ${recoveryCodesLeft} recovery
            ${recoveryCodesLeft === 1 ? "code" : "codes"} left.
          </p>`
        : html`<p class="hint">
            Off. With an authenticator app, your password alone does not let anybody in.
          </p>`
    }
    <a class="button quiet" href="${hrefOf(owner, "authenticator")}"
      >${isOn ? "Recovery codes, turning off" : "Set up an authenticator"}</a
    >`
}

const page = (owner: Owner, message?: string) =>
  framed(owner, {
    title: "How you sign in",
    tab: "security",
    message,
    body: html`<h2>Password</h2>
      ${!owner.view.hasPassword && html`<p class="hint">Your account has none.</p>`}
      <a class="button quiet" href="${hrefOf(owner, "password")}"
        >${owner.view.hasPassword ? "Change your password" : "Set a password"}</a
      >
      ${passkeys(owner)} ${authenticator(owner)}`
  })

/** `/account/security`: password, passkeys and authenticator. */
export const securityPage: AccountPage = { show: (owner) => Effect.succeed(page(owner)) }

/** Removes a passkey; the last one stays where nothing else would let its owner in. */
export const removePasskey: Action = {
  proof: true,
  page: "security",
  run: Effect.fn("account.removePasskey")(function* (owner, form) {
    const { did } = owner.view
    const id = form.get("passkey") ?? ""
    const refused = yield* dropPasskey(did, id).pipe(
      Effect.as(undefined),
      Effect.catchTag("Rejected", (rejected) => refusalOf(rejected))
    )
    if (refused !== undefined) return shown(page(owner, refused))
    return done("security", "passkey-gone")
  })
}
