import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { html } from "../../html.ts"
import { fieldIn, type Wrong } from "../../parts.ts"
import { type AccountPage, accountForm, type Action, done, framed } from "../frame.ts"
import { shown } from "../../layout.ts"
import { refusedBy } from "../mailedCode.ts"
import type { Owner } from "../owner.ts"
import { deactivation as text } from "../../text/settings.ts"

const page = (owner: Owner, wrong?: Wrong, typed?: string) => {
  const { status, deleteAfter } = owner.view
  const isOff = status === "deactivated"
  const content = html`${fieldIn(wrong, {
      name: "date",
      label: text.date,
      type: "date",
      autocomplete: "off",
      value: typed ?? deleteAfter?.slice(0, 10),
      hint: text.dateHint,
      optional: true
    })}
    <button type="submit" class="${isOff ? "" : "danger"}">
      ${isOff ? text.change : text.submit}
    </button>`
  const body = html`<p class="lead">${text.lead}</p>
    ${accountForm(owner, { action: "deactivate", content })}`
  return framed(owner, { title: text.title, tab: "settings", body, wrong })
}

/** `/account/deactivate` */
export const deactivatePage: AccountPage = {
  proof: true,
  show: (owner) => Effect.succeed(page(owner))
}

/** The start of a day as browsers send it; undefined if malformed. */
const timeOf = (day: string): string | undefined => {
  const time = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00.000Z`) : Number.NaN
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}

/** Deactivates the account until its owner returns or its deletion date. */
export const deactivate: Action = {
  proof: true,
  page: "deactivate",
  run: Effect.fn("account.deactivate")(function* (owner, form) {
    const day = (form.get("date") ?? "").trim()
    const deleteAfter = timeOf(day)
    if (day !== "" && deleteAfter === undefined) {
      return shown(page(owner, { text: text.badDate, field: "date" }, day))
    }
    const input = deleteAfter === undefined ? {} : { deleteAfter }
    const call = (yield* Accounts).call(owner.view.did, "deactivate", input)
    const refused = yield* refusedBy(call, "date")
    return refused === undefined
      ? done("settings", "deactivated")
      : shown(page(owner, refused, day))
  })
}
