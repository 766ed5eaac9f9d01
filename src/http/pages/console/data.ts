import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Fault } from "../../../core/backups/manifests.ts"
import { Accounts } from "../../../services/accounts/Accounts.ts"
import { Budget } from "../../../services/backups/Budget.ts"
import {
  checkAccount,
  type CheckPlace,
  checkServer
} from "../../../services/backups/checkAccount.ts"
import { entryOf } from "../../accounts/adminAccounts.ts"
import { noteAct } from "../../CurrentRequest.ts"
import { type Html, html } from "../html.ts"
import { note, type Wrong } from "../parts.ts"
import { frame, inTerminal } from "../text/console.ts"
import { data as text } from "../text/consoleHost.ts"
import { type ConsoleAction, consoleButton, consolePath, done, framed } from "./frame.ts"
import { shown } from "../layout.ts"
import type { Operating } from "./operating.ts"

/** The part of a check that one request does. */
const aRequest = { millis: 20_000, operations: 400 }

const aBudget = Effect.map(
  Clock.currentTimeMillis,
  (now) => new Budget({ ...aRequest, until: now + aRequest.millis })
)

const listOf = (problems: ReadonlyArray<Fault>): Html =>
  problems.length === 0
    ? note("good", text.sound)
    : html`${note("warn", text.found(problems.length))}
        <ul class="list">
          ${problems.map(
            ({ did, problem }) =>
              html`<li class="row">
                <span class="grow"
                  >${problem}
                  ${
                    did !== undefined &&
                    html`<small><a href="${consolePath("account", { did })}">${did}</a></small>`
                  }</span
                >
              </li>`
          )}
        </ul>`

/** The section of an account's page about its stored data. */
export const dataOf = (operating: Operating, did: string): Html =>
  html`<h2>${text.title}</h2>
    <p class="hint">${text.hint}</p>
    ${consoleButton(operating, { action: "account/check", fields: { did }, label: text.check })}`

/** Shows the result of a part of a check of one account; a repair is offered for what it can mend. */
const showChecked = Effect.fn("console.checked")(function* (
  operating: Operating,
  { did, handle }: { readonly did: string; readonly handle: string },
  { blob, wrong }: { readonly blob?: string | undefined; readonly wrong?: Wrong }
) {
  const checked = yield* checkAccount(did, blob, yield* aBudget)
  const isFirst = blob === undefined
  const examined = isFirst ? yield* (yield* Accounts).call(did, "examineRepo") : undefined
  const body = html`${listOf(checked.problems.map((problem) => ({ problem })))}
    <p>${text.checked(checked.blobs)}</p>
    ${
      checked.after !== undefined &&
      consoleButton(operating, {
        action: "account/check",
        fields: { did, blob: checked.after },
        label: text.continue
      })
    }
    ${
      examined !== undefined &&
      examined.found > 0 &&
      html`<h2>${text.repair}</h2>
        <p>${text.repairHint(examined.droppedCount)}</p>
        ${consoleButton(operating, { action: "account/repair", fields: { did }, label: text.repair, danger: true })}`
    }
    <p class="hint">
      ${frame.command} ${inTerminal(`check ${handle}`)}, ${inTerminal(`repair ${handle}`)}
    </p>
    <p><a href="${consolePath("account", { did })}">${handle}</a></p>`
  return shown(framed(operating, { title: text.title, tab: "accounts", body, wrong }))
})

/** Checks an account's stored data, for as long as a request may take. */
export const checkData: ConsoleAction = {
  role: "admin",
  page: "accounts",
  run: Effect.fn("console.checkData")(function* (operating, form) {
    const entry = yield* entryOf(form.get("did") ?? "")
    yield* noteAct({ act: "/admin/check", subject: entry.did })
    return yield* showChecked(operating, entry, { blob: form.get("blob") })
  })
}

/** Rebuilds an account's tree and references from its records. */
export const repairData: ConsoleAction = {
  role: "admin",
  page: "accounts",
  run: Effect.fn("console.repairData")(function* (operating, form) {
    const entry = yield* entryOf(form.get("did") ?? "")
    const { did } = entry
    yield* noteAct({ act: "/admin/repair", subject: did })
    return yield* (yield* Accounts).call(did, "repairRepo", { drop: false }).pipe(
      Effect.map(() => done("account", "repaired", { did })),
      Effect.catchTag("RepairRefused", ({ message }) =>
        showChecked(operating, entry, { wrong: { text: message } })
      )
    )
  })
}

/** The button that checks every account, on the page of backups. */
export const checkAllButton = (operating: Operating): Html =>
  html`<h2>${text.all}</h2>
    <p class="hint">${text.allHint}</p>
    ${consoleButton(operating, { action: "backups/check", label: text.all })}`

const placeIn = (form: ReadonlyMap<string, string>): CheckPlace => ({
  account: form.get("account") ?? "",
  blob: form.get("blob")
})

/** Checks every account's stored data, a part per request. */
export const checkAll: ConsoleAction = {
  role: "admin",
  page: "backups",
  run: Effect.fn("console.checkAll")(function* (operating, form) {
    yield* noteAct({ act: "/admin/check" })
    const before = Number(form.get("checked") ?? 0) || 0
    const { accounts, next, problems } = yield* checkServer(placeIn(form), yield* aBudget)
    const checked = before + accounts
    const body = html`${listOf(problems)}
      <p>${text.accounts(checked)} ${next === undefined && text.end}</p>
      ${
        next !== undefined &&
        consoleButton(operating, {
          action: "backups/check",
          fields: { ...next, checked: String(checked) },
          label: text.continue
        })
      }
      <p class="hint">${frame.command} ${inTerminal("check --all")}</p>`
    return shown(framed(operating, { title: text.all, tab: "backups", body }))
  })
}
