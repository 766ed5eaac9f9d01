import * as Effect from "effect/Effect"
import type { SecurityView } from "../../../../services/sessions/securityCalls.ts"
import { Mailer } from "../../../../services/mail/Mailer.ts"
import { html } from "../../html.ts"
import { card } from "../card.ts"
import { type AccountPage, framed } from "../frame.ts"
import { dayInWords } from "../words.ts"

/** The address, and whether it is known to be its owner's. */
const emailInWords = ({ email, emailConfirmed }: SecurityView): string => {
  if (email === undefined) return "None"
  return emailConfirmed ? email : `${email} (not confirmed)`
}

const standing = ({ status, deleteAfter }: SecurityView): string => {
  if (status !== "deactivated") return "Nobody sees it until you come back."
  return deleteAfter === undefined
    ? "Your account is deactivated."
    : `Your account is deactivated, and will be deleted on ${dayInWords(Date.parse(deleteAfter))}.`
}

/** `/account/settings`: what an account is called, who can change it, and how to leave. */
export const settingsPage: AccountPage = {
  show: Effect.fn("account.settings")(function* (owner) {
    const { view } = owner
    const { delivers } = yield* Mailer
    const body = html`<ul class="list">
        ${card(owner, "email", "Email", emailInWords(view))}
        ${card(owner, "handle", "Handle", view.handle)}
        ${card(owner, "keys", "Recovery key", "Whether you can take your identity back without this server.")}
        ${!delivers && card(owner, "codes", "Codes", "What would be mailed to you, if this server sent mail.")}
        ${card(owner, "export", "Download your data", "Everything that you have published, in one file.")}
      </ul>
      <h2>Leave</h2>
      <ul class="list">
        ${card(owner, "deactivate", "Deactivate the account", standing(view))}
        ${card(owner, "delete", "Delete the account", "For ever, with everything that is in it.")}
      </ul>`
    return framed(owner, { title: "Settings", tab: "settings", body })
  })
}
