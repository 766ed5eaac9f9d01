import * as Effect from "effect/Effect"
import { BackupLedger, type Run } from "../../../services/backups/BackupLedger.ts"
import { type LastDrill, lastDrill } from "../../../services/backups/drill/lastDrill.ts"
import { BackupTarget } from "../../../services/backups/BackupTarget.ts"
import { backUpPart } from "../../backups/adminBackups.ts"
import { noteAct } from "../../CurrentRequest.ts"
import { momentInWords } from "../account/words.ts"
import { type Html, html } from "../html.ts"
import { frame, inTerminal } from "../text/console.ts"
import { backups as text } from "../text/consoleHost.ts"
import { bytes } from "../text/consolePeople.ts"
import { checkAllButton } from "./data.ts"
import { type ConsoleAction, consoleButton, type ConsolePage, done, framed } from "./frame.ts"
import type { Operating } from "./operating.ts"

/** How many runs, and how many faults of each, a page lists. */
const [listed, namedFaults] = [20, 10]

const runRow = ({ run, startedAt, outcome = "failed", totals }: Run): Html => {
  const below = [
    momentInWords(startedAt),
    text.accounts(totals.accounts, totals.changed),
    bytes(totals.bytes),
    ...(totals.faulty === 0 ? [] : [text.faults(totals.faulty)])
  ].join(", ")
  return html`<li class="row">
    <span class="grow"
      ><strong
        >${run}
        <span class="tag ${outcome === "good" ? "good" : "bad"}"
          >${text.outcomes[outcome]}</span
        ></strong
      ><small>${below}</small> ${totals.faults
        .slice(0, namedFaults)
        .map(
          ({ did, problem }) =>
            html`<small>${did === undefined ? problem : text.fault(did, problem)}</small>`
        )}</span
    >
  </li>`
}

const makeButton = (operating: Operating, open: Run | undefined): Html =>
  html`${open !== undefined && html`<p>${text.open} ${text.phase(open.phase)}</p>`}
    ${consoleButton(operating, {
      action: "backups/now",
      label: open === undefined ? text.now : text.continue
    })}
    <p class="hint">${text.nowHint}</p>`

const drillPart = (drill: LastDrill | undefined): Html =>
  html`<h2>${text.drill}</h2>
    ${
      drill === undefined
        ? html`<p>${text.noDrill}</p>`
        : html`<ul class="list">
            <li class="row">
              <span class="grow"
                ><strong
                  >${momentInWords(drill.at)}
                  <span class="tag ${drill.outcome === "good" ? "good" : "bad"}"
                    >${text.drillOutcomes[drill.outcome]}</span
                  ></strong
                >${
                  drill.run !== undefined &&
                  html`<small
                    >${drill.run}:
                    ${text.drilled(drill.accounts, drill.records, drill.blobs)}</small
                  >`
                }
                ${drill.problems.map((problem) => html`<small>${problem}</small>`)}</span
              >
            </li>
          </ul>`
    }
    <p class="hint">${text.drillHint} ${frame.command} ${inTerminal("backup drill --report")}</p>`

/** `/admin/console/backups`: the store, the last runs and drill, and a button for one more run. */
export const backupsPage: ConsolePage = {
  role: "admin",
  show: Effect.fn("console.backups")(function* (operating) {
    const target = yield* BackupTarget
    const ledger = yield* BackupLedger
    const open = yield* ledger.open
    const runs = yield* ledger.ended(listed)
    const body = html`${
        target === undefined
          ? html`<p>${text.noStore}</p>`
          : html`<dl class="facts">
                <dt>${text.store}</dt>
                <dd>${target.name}</dd>
              </dl>
              ${makeButton(operating, open)}`
      }
      <h2>${text.runs}</h2>
      ${
        runs.length === 0
          ? html`<p class="hint">${text.none}</p>`
          : html`<ul class="list">
              ${runs.map(runRow)}
            </ul>`
      }
      <p class="hint">
        ${frame.command} ${inTerminal("backup now")}, ${inTerminal("backup list")},
        ${inTerminal("backup verify")}
      </p>
      ${target !== undefined && drillPart(yield* lastDrill)} ${checkAllButton(operating)}`
    return framed(operating, { title: text.title, tab: "backups", body })
  })
}

/** Begins a backup, or continues the current one, for as long as a request may take. */
export const backUpNow: ConsoleAction = {
  role: "admin",
  page: "backups",
  run: Effect.fn("console.backUp")(function* () {
    yield* noteAct({ act: "/admin/backups" })
    const { run } = yield* backUpPart()
    const ended = run?.outcome !== undefined
    return done("backups", ended ? "backup-done" : "backup-more")
  })
}
