import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { html } from "../../html.ts"
import { field } from "../../parts.ts"
import { type AccountPage, accountForm, type Action, done, framed, shown } from "../frame.ts"
import { refusedBy } from "../mailedCode.ts"
import type { Owner } from "../owner.ts"

const page = (owner: Owner, message?: string) => {
  const { status, deleteAfter } = owner.view
  const isOff = status === "deactivated"
  const content = html`${field({
      name: "date",
      label: "Delete it on",
      type: "date",
      autocomplete: "off",
      value: deleteAfter?.slice(0, 10),
      hint: "Leave it empty to keep the account until you come back. Three days from now is the soonest.",
      optional: true,
      invalid: message !== undefined
    })}
    <button type="submit" class="${isOff ? "" : "danger"}">
      ${isOff ? "Change the day" : "Deactivate the account"}
    </button>`
  const body = html`<p class="lead">
      A deactivated account is seen by nobody: not your profile, not your posts, not your pictures.
      Apps cannot use it. You can still sign in here, and reactivate it as long as it has not been
      deleted.
    </p>
    ${accountForm(owner, { action: "deactivate", content })}`
  return framed(owner, { title: "Deactivate the account", tab: "settings", body, message })
}

/** `/account/deactivate` */
export const deactivatePage: AccountPage = {
  proof: true,
  show: (owner) => Effect.succeed(page(owner))
}

/** A day as browsers send it, at its beginning; undefined for what is no day. */
const timeOf = (day: string): string | undefined => {
  const time = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00.000Z`) : Number.NaN
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}

/** Makes the account inactive, until its owner comes back or the day of its deletion. */
export const deactivate: Action = {
  proof: true,
  page: "deactivate",
  run: Effect.fn("account.deactivate")(function* (owner, form) {
    const day = (form.get("date") ?? "").trim()
    const deleteAfter = timeOf(day)
    if (day !== "" && deleteAfter === undefined) {
      return shown(page(owner, "That is no day. Write it as 2030-12-31, or leave it empty."))
    }
    const input = deleteAfter === undefined ? {} : { deleteAfter }
    const call = (yield* Accounts).call(owner.view.did, "deactivate", input)
    const refused = yield* refusedBy(call)
    return refused === undefined ? done("settings", "deactivated") : shown(page(owner, refused))
  })
}
