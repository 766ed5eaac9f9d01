import * as Effect from "effect/Effect"
import { type AuditEntry, type AuditValue, faultIn } from "../../../core/operators/auditChain.ts"
import { AuditLog } from "../../../services/operators/AuditLog.ts"
import { Directory } from "../../../services/accounts/Directory.ts"
import { momentInWords } from "../account/words.ts"
import { type Html, html } from "../html.ts"
import { field, note } from "../parts.ts"
import { frame, inTerminal } from "../text/console.ts"
import { audit as text } from "../text/consoleHost.ts"
import { consolePath, type ConsolePage, framed, lookUpForm } from "./frame.ts"

const pageSize = 50

/** How many of the newest entries a page verifies; the command verifies all. */
const verified = 500

const valuesOf = (name: string, values: AuditEntry["before"]): Html | undefined => {
  if (values === undefined) return undefined
  const shown = (value: AuditValue) => (value === null ? "–" : String(value))
  const list = Object.entries(values).map(([key, value]) => `${key} = ${shown(value)}`)
  return html`<small>${name}: ${list.join(", ")}</small>`
}

/** A method's name, which a narrow page breaks at its dots. */
const breakable = (act: string): ReadonlyArray<Html | string> =>
  act.split(".").map((part, at) => (at === 0 ? part : html`.<wbr />${part}`))

const rowOf = (entry: AuditEntry, names: ReadonlyMap<string, string>): Html => {
  const { act, actor, after, at, before, reason, seq, status, subject } = entry
  const nameOf = (who: string) => names.get(who) ?? who
  const who = actor === "password" ? text.password : nameOf(actor)
  return html`<li class="row">
    <span class="grow"
      ><strong
        >${breakable(act)}${status >= 400 && html` <span class="tag bad">${text.rejected(status)}</span>`}</strong
      ><small>${seq}, ${momentInWords(at)}, ${text.by} ${who}</small> ${
        subject !== undefined &&
        html`<small><a href="${consolePath("audit", { subject })}">${nameOf(subject)}</a></small>`
      }
      ${reason !== undefined && html`<small>${text.reason(reason)}</small>`}
      ${valuesOf(text.before, before)} ${valuesOf(text.after, after)}</span
    >
  </li>`
}

/** The handles of the DIDs in entries. */
const namesIn = Effect.fnUntraced(function* (entries: ReadonlyArray<AuditEntry>) {
  const directory = yield* Directory
  const dids = new Set(
    entries.flatMap(({ actor, subject = "" }) =>
      [actor, subject].filter((name) => /^did:[^ ]+$/.test(name))
    )
  )
  const names = new Map<string, string>()
  yield* Effect.forEach(
    dids,
    (did) =>
      Effect.map(directory.byDid(did), (entry) => {
        if (entry !== undefined) names.set(did, entry.handle)
      }),
    { concurrency: 8, discard: true }
  )
  return names
})

/** Recomputes the hashes of the newest entries. */
const verdict = Effect.gen(function* () {
  const log = yield* AuditLog
  const head = yield* log.head
  const newest = yield* log.page({ limit: verified })
  const entries = newest.toReversed()
  const [first] = entries
  const last = entries.at(-1)
  if (first === undefined)
    return head.seq === 0 ? note("good", text.empty) : note("bad", text.cutOff)
  const fault = faultIn(entries)
  if (fault !== undefined) {
    return note(
      "bad",
      fault.fault === "changed" ? text.changed(fault.seq) : text.missing(fault.seq)
    )
  }
  return last?.seq === head.seq && last.hash === head.hash
    ? note("good", text.intact(first.seq, head.seq))
    : note("bad", text.cutOff)
})

const filters = ["actor", "act", "subject"] as const

/** `/admin/console/audit`: the acts, newest first, with filters; `verify` checks the chain. */
export const auditPage: ConsolePage = {
  role: "admin",
  show: Effect.fn("console.audit")(function* (operating, query) {
    const given = Object.fromEntries(
      filters.flatMap((name) => {
        const value = (query.get(name) ?? "").trim().slice(0, 300)
        return value === "" ? [] : [[name, value]]
      })
    )
    const place = query.get("before") ?? ""
    const before = /^\d{1,15}$/.test(place) ? Number(place) : undefined
    const log = yield* AuditLog
    const entries = yield* log.page({
      limit: pageSize,
      ...given,
      ...(before === undefined ? {} : { before })
    })
    const last = entries.length < pageSize ? undefined : entries.at(-1)
    const names = yield* namesIn(entries)
    const form = html`${filters.map((name) =>
        field({
          name,
          label: text[name],
          autocomplete: "off",
          value: given[name],
          optional: true,
          maxLength: 300
        })
      )} <button type="submit">${text.filter}</button>`
    const body = html`${query.has("verify") && (yield* verdict)} ${lookUpForm("audit", form)}
      <p class="hint">${text.hint}</p>
      <p class="tools">
        <a class="button quiet small" href="${consolePath("audit", { verify: "1" })}"
          >${text.verify}</a
        >
        <span class="hint">${text.verifyHint}</span>
      </p>
      ${
        entries.length === 0
          ? html`<p class="hint">${text.none}</p>`
          : html`<ul class="list">
              ${entries.map((entry) => rowOf(entry, names))}
            </ul>`
      }
      <p class="tools">
        ${
          before !== undefined &&
          html`<a class="button quiet small" href="${consolePath("audit", given)}"
            >${text.newest}</a
          >`
        }
        ${
          last !== undefined &&
          html`<a
            class="button quiet small"
            href="${consolePath("audit", { ...given, before: String(last.seq) })}"
            >${text.older}</a
          >`
        }
      </p>
      <p class="hint">${frame.command} ${inTerminal("audit")}, ${inTerminal("audit verify")}</p>`
    return framed(operating, { title: text.title, tab: "audit", body })
  })
}
