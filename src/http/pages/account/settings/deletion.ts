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

const page = Effect.fnUntraced(function* (owner: Owner, message?: string) {
  const { handle, email } = owner.view
  const invalid = message !== undefined
  const content = html`${codeField(yield* codeHint, invalid)}
    ${field({
      name: "handle",
      label: "Your handle",
      autocomplete: "off",
      hint: html`Type <strong>${handle}</strong>, so that nothing is deleted by mistake.`,
      invalid,
      maxLength: 254
    })} <button type="submit" class="danger">Delete the account for ever</button>`
  const body = html`<p class="lead">
      Everything goes: profile, posts, pictures, followers, and every way to sign in. Nobody can
      bring it back, not even this server’s administrator.
    </p>
    <p>
      You may want to <a href="${hrefOf(owner, "export")}">download your data</a> first. If you only
      want to be away, <a href="${hrefOf(owner, "deactivate")}">deactivate</a> the account; if you
      want to go to another server, move it there before.
    </p>
    <h2>1. Get a code</h2>
    ${accountForm(owner, {
      action: "delete/send-code",
      content: yield* codeButton(email)
    })}
    <h2>2. Delete</h2>
    ${accountForm(owner, { action: "delete", content })}`
  return framed(owner, { title: "Delete the account", tab: "settings", body, message })
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
    if (typed !== handle)
      return shown(yield* page(owner, "That is not the handle of this account."))
    const code = form.get("code") ?? ""
    const refused = yield* refusedBy((yield* Accounts).call(did, "deleteByCode", { code }))
    return refused === undefined ? left("deleted") : shown(yield* page(owner, refused))
  })
}
