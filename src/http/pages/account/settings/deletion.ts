import * as Effect from "effect/Effect"
import { calledName } from "../../../../core/identity/calledName.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { html } from "../../html.ts"
import { field } from "../../parts.ts"
import {
  type AccountPage,
  accountForm,
  type Action,
  framed,
  hrefOf,
  left,
  shown
} from "../frame.ts"
import { codeButton, codeField, codeHint, refusedBy, sendsCode } from "../mailedCode.ts"
import type { Owner } from "../owner.ts"
import { deletion as text } from "../../text/settings.ts"

const page = Effect.fnUntraced(function* (owner: Owner, message?: string) {
  const { handle, email } = owner.view
  const invalid = message !== undefined
  const content = html`${codeField(yield* codeHint, invalid)}
    ${field({
      name: "handle",
      label: text.handleLabel,
      autocomplete: "off",
      hint: text.handleHint(handle),
      invalid,
      maxLength: 254
    })} <button type="submit" class="danger">${text.submit}</button>`
  const body = html`<p class="lead">${text.lead}</p>
    <p>
      ${text.before({ export: hrefOf(owner, "export"), deactivate: hrefOf(owner, "deactivate") })}
    </p>
    <h2>${text.codeHeading}</h2>
    ${accountForm(owner, {
      action: "delete/send-code",
      content: yield* codeButton(email)
    })}
    <h2>${text.deleteHeading}</h2>
    ${accountForm(owner, { action: "delete", content })}`
  return framed(owner, { title: text.title, tab: "settings", body, message })
})

/** `/account/delete` */
export const deletePage: AccountPage = { proof: true, show: (owner) => page(owner) }

/** Sends the code that a deletion needs. */
export const sendDeletionCode: Action = sendsCode("delete", "delete_account", page)

/** Deletes the account: by the code, by the handle typed once more, and by the proof that is asked for before. */
export const deleteAccount: Action = {
  proof: true,
  page: "delete",
  run: Effect.fn("account.delete")(function* (owner, form) {
    const { did, handle } = owner.view
    const typed = calledName(form.get("handle") ?? "")
    if (typed !== handle) return shown(yield* page(owner, text.wrongHandle))
    const code = form.get("code") ?? ""
    const refused = yield* refusedBy((yield* Accounts).call(did, "deleteByCode", { code }))
    return refused === undefined ? left("deleted") : shown(yield* page(owner, refused))
  })
}
