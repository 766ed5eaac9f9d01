import * as Effect from "effect/Effect"
import type { SecurityView } from "../../../../services/sessions/calls.ts"
import { Mailer } from "../../../../services/mail/Mailer.ts"
import { html } from "../../html.ts"
import { type AccountPage, card, framed } from "../frame.ts"
import { dayInWords } from "../words.ts"
import { archiveImport } from "../../text/archiveImport.ts"
import { settings as text } from "../../text/settings.ts"

/** The address, and whether it is confirmed. */
const emailInWords = ({ email, emailConfirmed }: SecurityView, delivers: boolean): string => {
  if (email === undefined) return text.noEmail
  return emailConfirmed || !delivers ? email : text.unconfirmed(email)
}

const standing = ({ status, deleteAfter }: SecurityView): string => {
  if (status !== "deactivated") return text.deactivateBelow
  return deleteAfter === undefined
    ? text.isDeactivated
    : text.deletedOn(dayInWords(Date.parse(deleteAfter)))
}

/** `/account/settings`: links to address, handle, recovery key, export, move, deactivation and deletion. */
export const settingsPage: AccountPage = {
  show: Effect.fn("account.settings")(function* (owner) {
    const { view } = owner
    const { delivers } = yield* Mailer
    const body = html`<ul class="list">
        ${card(owner, "email", text.email, emailInWords(view, delivers))}
        ${card(owner, "handle", text.handle, view.handle)}
        ${card(owner, "keys", text.recoveryKey, text.recoveryKeyBelow)}
        ${card(owner, "data", text.data, text.dataBelow)}
        ${card(owner, "export", text.download, text.downloadBelow)}
        ${card(owner, "import", archiveImport.title, archiveImport.below)}
      </ul>
      <h2>${text.leave}</h2>
      <ul class="list">
        ${card(owner, "move", text.move, text.moveBelow)}
        ${card(owner, "deactivate", text.deactivate, standing(view))}
        ${card(owner, "delete", text.delete, text.deleteBelow)}
      </ul>`
    return framed(owner, { title: text.title, tab: "settings", body })
  })
}
