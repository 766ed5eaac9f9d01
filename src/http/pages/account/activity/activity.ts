import * as Effect from "effect/Effect"
import { queryValue } from "../../../../core/lexicon/params.ts"
import type { HistoryEntry } from "../../../../core/accounts/history.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { type Html, html } from "../../html.ts"
import { activity as text, activityKinds, refusedInWords, signInWays } from "../../text/activity.ts"
import { type AccountPage, framed, hrefOf, pathOf } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { appInWords, momentInWords } from "../words.ts"

const perPage = 50

/** What an entry is about, without its time and device. */
const aboutOf = (entry: HistoryEntry): string | undefined => {
  const { kind, app, subject, before, after } = entry
  if (kind === "sign-in") {
    const way = signInWays[entry.way ?? "password"]
    const name = app === undefined ? subject : appInWords(app)
    return name === undefined ? way : `${way}: ${name}`
  }
  if (kind === "refused") return refusedInWords(entry.refused ?? {})
  if (kind === "deactivated" || kind === "deletion-asked") {
    return after === undefined ? undefined : text.until(momentInWords(Date.parse(after)))
  }
  if (kind === "email" || kind === "handle" || kind === "quota") {
    return text.fromTo(before, after ?? "")
  }
  return app === undefined ? subject : appInWords(app)
}

const deviceOf = ({ kind, by, client, place }: HistoryEntry): string | undefined => {
  if (by !== undefined) return by === "operator" ? text.byOperator : text.byServer
  if (kind === "refused") return undefined
  const where = place === undefined ? undefined : text.from(place)
  const device = client ?? (where === undefined ? undefined : text.unknownDevice)
  return [device, where].filter((part) => part !== undefined).join(" ")
}

const whenOf = ({ at, until }: HistoryEntry): string =>
  until === undefined || until - at < 60_000
    ? momentInWords(at)
    : `${momentInWords(at)} – ${momentInWords(until)}`

/** An entry as a row of a list. */
export const historyRow = (entry: HistoryEntry): Html => {
  const { kind, reason } = entry
  const lines = [aboutOf(entry), deviceOf(entry), reason && text.reason(reason)]
  return html`<li class="row">
    <span class="grow"
      ><strong>${activityKinds[kind] ?? kind}</strong
      ><small>${lines.filter((line) => line !== undefined && line !== "").join(" · ")}</small
      ><small>${whenOf(entry)}</small></span
    >
  </li>`
}

const pager = (owner: Owner, before: number | undefined, cursor: number | undefined): Html => {
  const account = owner.several ? owner.account.did : ""
  const older = pathOf("activity", { account, before: String(cursor) })
  return html`<p class="hint">
    ${before !== undefined && html`<a href="${pathOf("activity", { account })}">${text.newest}</a>`}
    ${cursor !== undefined && html`<a href="${older}" rel="next">${text.older}</a>`}
  </p>`
}

/** `/account/activity`: sign-ins from new devices and apps, and changes to the account. */
export const activityPage: AccountPage = {
  show: Effect.fn("account.activity")(function* (owner, query) {
    const given = queryValue(query, "before") ?? ""
    const before = /^\d{1,15}$/.test(given) ? Number(given) : undefined
    const page = { limit: perPage, ...(before === undefined ? {} : { before }) }
    const history = yield* (yield* Accounts).call(owner.view.did, "history", page)
    const { entries, cursor } = history
    const body = html`<p class="lead">${text.lead}</p>
      ${
        entries.length === 0
          ? html`<p class="hint">${text.none}</p>`
          : html`<ul class="list">
              ${entries.map(historyRow)}
            </ul>`
      }
      ${pager(owner, before, cursor)}
      <p class="hint">${text.hint}</p>
      <p class="hint">
        <a href="${hrefOf(owner, "apps")}">${text.apps}</a> ·
        <a href="${hrefOf(owner, "devices")}">${text.devices}</a> ·
        <a href="${hrefOf(owner, "password")}">${text.changePassword}</a>
      </p>`
    return framed(owner, { title: text.title, tab: "", body })
  })
}
