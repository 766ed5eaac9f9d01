import * as Effect from "effect/Effect"
import { isRole, roles } from "../../../core/operators/roles.ts"
import { Directory } from "../../../services/accounts/Directory.ts"
import { Operators } from "../../../services/operators/Operators.ts"
import { noteAct } from "../../CurrentRequest.ts"
import { giveRole, takeRole } from "../../operators/adminOperators.ts"
import { wrongOf } from "../account/refusal.ts"
import { dayInWords } from "../account/words.ts"
import { type Html, html, raw } from "../html.ts"
import { fieldIn, type Wrong } from "../parts.ts"
import { frame, inTerminal } from "../text/console.ts"
import { operators as text } from "../text/consoleHost.ts"
import {
  type ConsoleAction,
  consoleButton,
  consoleForm,
  type ConsolePage,
  done,
  framed
} from "./frame.ts"
import { shown } from "../layout.ts"
import type { Operating } from "./operating.ts"

interface Typed {
  readonly account?: string
  readonly role?: string
}

const addForm = (operating: Operating, wrong?: Wrong, typed: Typed = {}): Html =>
  consoleForm(operating, {
    action: "operators/give",
    content: html`${fieldIn(wrong, {
        name: "account",
        label: text.account,
        autocomplete: "off",
        value: typed.account,
        maxLength: 254
      })}
      <div class="field">
        <label for="role">${text.role}</label>
        <select id="role" name="role">
          ${roles.map(
            (role) =>
              html`<option
                value="${role}"
                ${raw(role === (typed.role ?? "moderator") ? " selected" : "")}
              >
                ${text.roles[role]}
              </option>`
          )}
        </select>
      </div>
      <button type="submit">${text.submit}</button>`
  })

const page = Effect.fnUntraced(function* (operating: Operating, wrong?: Wrong, typed?: Typed) {
  const directory = yield* Directory
  const handleOf = (did: string) =>
    Effect.map(directory.byDid(did), (entry) => entry?.handle ?? did)
  const rows = yield* Effect.forEach(
    yield* (yield* Operators).list,
    Effect.fnUntraced(function* ({ did, role, addedAt, addedBy }) {
      const handle = yield* handleOf(did)
      const by = addedBy === "password" ? text.byPassword : yield* handleOf(addedBy)
      return html`<li class="row">
        <span class="grow"
          ><strong
            >${handle} <span class="tag">${frame.roles[role]}</span>${
              did === operating.view.did && html` <span class="tag good">${text.you}</span>`
            }</strong
          ><small>${text.added(dayInWords(addedAt), by)}</small></span
        >
        ${consoleButton(operating, {
          action: "operators/remove",
          fields: { account: did },
          label: text.remove,
          name: text.removeOne(handle)
        })}
      </li>`
    }),
    { concurrency: 8 }
  )
  const body = html`<p class="lead">${text.lead}</p>
    <ul class="list">
      ${rows}
    </ul>
    <h2>${text.add}</h2>
    ${addForm(operating, wrong, typed)}
    <p class="hint">${frame.command} ${inTerminal("operator add alice --role moderator")}</p>`
  return framed(operating, { title: text.title, tab: "operators", body, wrong })
})

/** `/admin/console/operators` */
export const operatorsPage: ConsolePage = { role: "admin", show: (operating) => page(operating) }

/** Gives an account a role. */
export const giveOperator: ConsoleAction = {
  role: "admin",
  page: "operators",
  run: Effect.fn("console.giveRole")(function* (operating, form) {
    const typed = { account: form.get("account") ?? "", role: form.get("role") ?? "" }
    const { account, role } = typed
    yield* noteAct({ act: "/admin/operators" })
    if (!isRole(role)) return shown(yield* page(operating, { text: text.chooseRole }, typed))
    const wrong = yield* giveRole(account, role).pipe(
      Effect.as(undefined),
      Effect.catchTags({
        NoSuchAccount: () => Effect.succeed({ text: text.notHere, field: "account" }),
        OperatorRefused: (failure) => wrongOf(failure, "account")
      })
    )
    return wrong === undefined
      ? done("operators", "role-given")
      : shown(yield* page(operating, wrong, typed))
  })
}

/** Removes an account's role; the last admin stays. */
export const removeOperator: ConsoleAction = {
  role: "admin",
  page: "operators",
  run: Effect.fn("console.removeRole")(function* (operating, form) {
    yield* noteAct({ act: "/admin/operators/remove" })
    const wrong = yield* takeRole(form.get("account") ?? "").pipe(
      Effect.as(undefined),
      Effect.catchTags({
        NoSuchAccount: () => Effect.succeed({ text: text.notHere }),
        OperatorRefused: (failure) => wrongOf(failure, undefined)
      })
    )
    return wrong === undefined
      ? done("operators", "role-removed")
      : shown(yield* page(operating, wrong))
  })
}
