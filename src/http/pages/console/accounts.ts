import * as Effect from "effect/Effect"
import { calledName } from "../../../core/identity/calledName.ts"
import {
  Directory,
  type DirectoryEntry,
  type DirectoryStatus
} from "../../../services/accounts/Directory.ts"
import { noteAct } from "../../CurrentRequest.ts"
import { dayInWords } from "../account/words.ts"
import { type Html, html, raw } from "../html.ts"
import { account, field } from "../parts.ts"
import { accounts as text, standings } from "../text/consolePeople.ts"
import { consolePath, type ConsolePage, framed, lookUpForm } from "./frame.ts"

/** Accounts on a page. */
const pageSize = 50

const states = ["active", "deactivated", "takendown", "suspended"] as const

const stateIn = (given: string | null): DirectoryStatus | undefined =>
  states.find((state) => state === given)

const row = ({ did, handle, email, status, createdAt }: DirectoryEntry): Html => {
  const below = html`${email ?? text.noEmail}, ${text.since(dayInWords(createdAt))}
  ${status !== "active" && html` <span class="tag bad">${standings[status]}</span>`}`
  return html`<li>
    <a class="leads" href="${consolePath("account", { did })}">${account(handle, below)}</a>
  </li>`
}

/** `/admin/console/accounts`: search, by handle; wakes no account's object. */
export const accountsPage: ConsolePage = {
  role: "moderator",
  act: "com.atproto.admin.searchAccounts",
  show: Effect.fn("console.accounts")(function* (operating, query) {
    const sought = calledName((query.get("q") ?? "").slice(0, 300))
    const state = stateIn(query.get("state"))
    const after = query.get("after") ?? undefined
    if (sought !== "") yield* noteAct({ after: { text: sought } })
    const page = yield* (yield* Directory).search({
      limit: pageSize,
      text: sought,
      status: state,
      after
    })
    const link = (next?: string) =>
      consolePath("accounts", { q: sought, state: state, after: next })
    const form = html`${field({
        name: "q",
        label: text.search,
        autocomplete: "off",
        value: sought,
        optional: true,
        maxLength: 254
      })}
      <div class="field">
        <label for="state">${text.state}</label>
        <select id="state" name="state">
          <option value="">${text.any}</option>
          ${states.map(
            (one) =>
              html`<option value="${one}" ${raw(one === state ? " selected" : "")}>
                ${standings[one]}
              </option>`
          )}
        </select>
      </div>
      <button type="submit">${text.find}</button>`
    const body = html`${lookUpForm("accounts", form)}
      ${
        page.accounts.length === 0
          ? html`<p class="hint">${text.none}</p>`
          : html`<ul class="list">
              ${page.accounts.map(row)}
            </ul>`
      }
      <p class="tools">
        ${after !== undefined && html`<a class="button quiet small" href="${link()}">${text.first}</a>`}
        ${
          page.next !== undefined &&
          html`<a class="button quiet small" href="${link(page.next)}">${text.more}</a>`
        }
      </p>`
    return framed(operating, { title: text.title, tab: "accounts", body })
  })
}
