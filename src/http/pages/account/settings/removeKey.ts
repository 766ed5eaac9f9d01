import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { html, raw } from "../../html.ts"
import { note, type Wrong } from "../../parts.ts"
import { type AccountPage, accountForm, type Action, done, framed } from "../frame.ts"
import { shown } from "../../layout.ts"
import { refusedBy } from "../mailedCode.ts"
import type { Owner } from "../owner.ts"
import { keys as keysText, removeKey as text } from "../../text/recoveryKey.ts"
import { anotherCode, codeStep, keySubmit, nameOf, ownerKeys } from "./keyList.ts"

const page = Effect.fnUntraced(function* (
  owner: Owner,
  filled: {
    readonly key?: string
    readonly isSent?: boolean
    readonly wrong?: Wrong | undefined
  } = {}
) {
  const { key: chosen, isSent = false, wrong } = filled
  const found = yield* ownerKeys(owner)
  const framedIn = (body: ReturnType<typeof html>) =>
    framed(owner, { title: text.title, tab: "settings", body, wrong })
  if (found.notice !== undefined) return framedIn(found.notice)
  if (!found.isOurs) return framedIn(note("warn", keysText.notOurs))
  const others = found.keys.filter((key) => key !== found.ours)
  if (others.length === 0) return framedIn(html`<p>${text.none}</p>`)
  const button = html`<button type="submit" class="danger">${text.submit}</button>`
  const choices = others.map(
    (key) =>
      html`<label class="check field"
        ><input
          type="radio"
          name="key"
          value="${key}"
          required
          ${raw(key === chosen || others.length === 1 ? " checked" : "")}
        /><span>${nameOf(key, found)}<br /><code>${key}</code></span></label
      >`
  )
  return framedIn(
    html`<p class="lead">${text.lead}</p>
      ${others.length === 1 && note("warn", text.last)}
      ${accountForm(owner, {
        action: "remove-key",
        content: html`<fieldset>
            <legend>${text.key}</legend>
            ${choices}
          </fieldset>
          ${yield* keySubmit(owner, button, { isSent, wrong })}`
      })}
      ${anotherCode(owner, { action: "remove-key", fields: { key: chosen ?? "" }, isSent })}`
  )
})

/** `/account/remove-key`: one of the owner's keys to remove. */
export const removeKeyPage: AccountPage = { proof: true, show: (owner) => page(owner) }

/** Removes one of the owner's keys; where codes are mailed, sends the code first. */
export const removeKey: Action = {
  proof: true,
  page: "remove-key",
  run: Effect.fn("account.removeKey")(function* (owner, form) {
    const found = yield* ownerKeys(owner)
    const key = form.get("key") ?? ""
    if (found.notice !== undefined) return shown(yield* page(owner))
    if (key === found.ours || !found.keys.includes(key)) {
      return shown(yield* page(owner, { wrong: { text: text.chosen } }))
    }
    const accounts = yield* Accounts
    const { did } = owner.view
    const code = form.get("code")
    if ((yield* codeStep(owner, code !== undefined)) === "wanted") {
      const wrong = yield* refusedBy(
        accounts.call(did, "requestCode", { purpose: "plc_operation" })
      )
      return shown(yield* page(owner, { key, isSent: wrong === undefined, wrong }))
    }
    const change = { without: key, ...(code === undefined ? {} : { code }) }
    const wrong = yield* refusedBy(accounts.call(did, "changeOwnerKeys", change))
    return wrong === undefined
      ? done("keys", "key-gone")
      : shown(yield* page(owner, { key, isSent: code !== undefined, wrong }))
  })
}
