import * as Effect from "effect/Effect"
import { Config } from "../../../../services/host/Config.ts"
import { type Html, html } from "../../html.ts"
import { note } from "../../parts.ts"
import { seal } from "../../csrf.ts"
import { archiveImport as text } from "../../text/archiveImport.ts"
import { moving } from "../../text/moveIn.ts"
import { type AccountPage, accountForm, framed, hrefOf } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { withoutStanding } from "../moveIn/moving.ts"
import { importScript } from "./importScript.ts"

/** How long the page's script may send, in milliseconds. */
const ticketMillis = 12 * 3_600_000

/** Whether an archive may replace the account's data. */
const isWaiting = ({ view }: Owner): boolean => view.status === "deactivated" && !view.deletionHeld

const notWaiting = (owner: Owner): Html =>
  owner.view.deletionHeld
    ? note("warn", text.held)
    : html`${note("warn", text.active)}
        <a class="button quiet" href="${hrefOf(owner, "deactivate")}">${text.deactivate}</a>`

const nextStep = (owner: Owner): Html =>
  owner.view.arriving
    ? html`<p>${text.movingLead}</p>
        <a class="button" href="${hrefOf(owner, "moving")}">${moving.finish}</a>`
    : html`<p>${text.activateLead}</p>
        ${accountForm(owner, {
          action: "reactivate",
          content: html`<button type="submit">${text.activate}</button>`
        })}`

const importForm = (owner: Owner, ticket: string): Html =>
  html`<p>${text.steps}</p>
    <noscript>${note("warn", text.needsJavaScript)}</noscript>
    <form data-import data-did="${owner.view.did}" data-ticket="${ticket}" hidden>
      <div class="field">
        <label for="files">${text.files}</label>
        <input
          id="files"
          type="file"
          accept=".zip,application/zip"
          multiple
          required
          aria-describedby="files-hint"
        />
        <p class="hint" id="files-hint">${text.filesHint}</p>
      </div>
      <div class="field" data-replace hidden>
        <label class="check"
          ><input type="checkbox" aria-describedby="replace-hint" /><span
            >${text.replace}</span
          ></label
        >
        <p class="hint" id="replace-hint">${text.replaceHint}</p>
      </div>
      <p class="error" role="alert" data-wrong></p>
      <button type="submit">${text.submit}</button>
      <div data-running hidden>
        <p role="status" data-status></p>
        <progress aria-label="${text.title}"></progress>
        <p class="hint" data-count></p>
      </div>
    </form>
    <div data-done hidden>
      <h2 tabindex="-1">${text.doneTitle}</h2>
      <dl class="facts">
        <dt>${text.records}</dt>
        <dd data-records></dd>
        <dt>${text.blobs}</dt>
        <dd data-blobs></dd>
      </dl>
      <ul data-notes></ul>
      ${nextStep(owner)}
    </div>`

/** `/account/import`: the browser reads an archive and sends what the account lacks. */
export const importPage: AccountPage = {
  proof: true,
  show: Effect.fn("account.import")(function* (owner) {
    const { did } = owner.view
    const { acceptImports } = yield* Config
    const waits = acceptImports && isWaiting(owner)
    const ticket = waits
      ? yield* seal("import", owner.visitor.device.id, { did }, ticketMillis)
      : ""
    return framed(withoutStanding(owner), {
      title: text.title,
      tab: "settings",
      ...(waits ? { script: importScript, connects: true } : {}),
      body: html`<p class="lead">${text.lead}</p>
        ${waits ? importForm(owner, ticket) : acceptImports ? notWaiting(owner) : note("warn", text.closed)}`
    })
  })
}
