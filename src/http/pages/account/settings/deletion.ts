import * as Effect from "effect/Effect"
import { calledName } from "../../../../core/identity/calledName.ts"
import { Mailer } from "../../../../services/mail/Mailer.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Config } from "../../../../services/host/Config.ts"
import { html } from "../../html.ts"
import { fieldIn, type Wrong } from "../../parts.ts"
import { type AccountPage, accountForm, type Action, done, framed, hrefOf, left } from "../frame.ts"
import { shown } from "../../layout.ts"
import { codeButton, codeField, refusedBy, sendsCode, waitingCode } from "../mailedCode.ts"
import type { Owner } from "../owner.ts"
import { deletion as text } from "../../text/settings.ts"

const page = Effect.fnUntraced(function* (
  owner: Owner,
  wrong?: Wrong,
  typed: { readonly code?: string; readonly handle?: string } = {}
) {
  const { handle, email } = owner.view
  // Without mail, the recent proof that this page takes replaces the code.
  const { delivers } = yield* Mailer
  const content = html`${delivers && codeField(wrong, typed.code)}
    ${fieldIn(wrong, {
      name: "handle",
      label: text.handleLabel,
      autocomplete: "off",
      value: typed.handle,
      hint: text.handleHint(handle),
      maxLength: 254
    })} <button type="submit" class="danger">${text.submit}</button>`
  const { deletionDelay } = yield* Config
  const body = html`<p class="lead">${text.lead}</p>
    ${deletionDelay !== "off" && html`<p>${text.held}</p>`}
    <p>
      ${text.before({ export: hrefOf(owner, "export"), deactivate: hrefOf(owner, "deactivate"), move: hrefOf(owner, "move") })}
    </p>
    ${yield* waitingCode(owner, ["delete_account"])}
    ${
      delivers &&
      html`<h2>${text.codeHeading}</h2>
        ${accountForm(owner, { action: "delete/send-code", content: codeButton(email) })}
        <h2>${text.deleteHeading}</h2>`
    }
    ${accountForm(owner, { action: "delete", content })}`
  return framed(owner, { title: text.title, tab: "settings", body, wrong })
})

/** `/account/delete` */
export const deletePage: AccountPage = { proof: true, show: (owner) => page(owner) }

/** Sends the code that a deletion needs. */
export const sendDeletionCode: Action = sendsCode("delete", "delete_account", page)

/** Deletes the account after a recent proof, with the code and the typed handle. */
export const deleteAccount: Action = {
  proof: true,
  page: "delete",
  run: Effect.fn("account.delete")(function* (owner, form) {
    const { did, handle } = owner.view
    const typed = { handle: form.get("handle") ?? "", code: form.get("code") ?? "" }
    if (calledName(typed.handle) !== handle) {
      return shown(yield* page(owner, { text: text.wrongHandle, field: "handle" }, typed))
    }
    const { deletionDelay } = yield* Config
    const call = (yield* Accounts).call(did, "askDeletionByCode", { code: typed.code })
    const wrong = yield* refusedBy(call)
    if (wrong !== undefined) return shown(yield* page(owner, wrong, typed))
    return deletionDelay === "off" ? left("deleted") : done("", "deletion-held")
  })
}
