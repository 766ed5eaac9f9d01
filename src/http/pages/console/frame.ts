import * as Effect from "effect/Effect"
import type { Role } from "../../../core/operators/roles.ts"
import { reaches } from "../../../core/operators/roles.ts"
import type { Config } from "../../../services/host/Config.ts"
import type { Readiness } from "../../../services/host/Readiness.ts"
import type { Alerts } from "../../../services/operators/Alerts.ts"
import type { Announcements } from "../../../services/mail/Announcements.ts"
import type { AuditLog } from "../../../services/operators/AuditLog.ts"
import type { HostRows } from "../../../services/backups/HostRows.ts"
import type { HostCounts } from "../../../services/operators/HostCounts.ts"
import type { Operators } from "../../../services/operators/Operators.ts"
import type { WatchNotes } from "../../../services/operators/WatchNotes.ts"
import type { KeyRotations } from "../../../services/identity/keys/KeyRotations.ts"
import type { BackupLedger } from "../../../services/backups/BackupLedger.ts"
import type { CurrentRequest } from "../../CurrentRequest.ts"
import type { hostMethods } from "../../methods.ts"
import type { MethodTable } from "../../Xrpc.ts"
import type { Form } from "../browser.ts"
import type { PageFailure } from "../failurePage.ts"
import { type Child, type Html, html, raw } from "../html.ts"
import type { Page, Shown } from "../layout.ts"
import { account, hidden, note, noteOf, type Wrong } from "../parts.ts"
import { frame as text, notices } from "../text/console.ts"
import type { ConsoleNotice, ConsoleTab, Operating } from "./operating.ts"

/** The console's pages, by the rest of their path. */
export type ConsoleName =
  | ""
  | "accounts"
  | "account"
  | "invites"
  | "moderation"
  | "network"
  | "mail"
  | "backups"
  | "audit"
  | "operators"
  | "configuration"

/** The path of a page of the console; empty values are left out. */
export const consolePath = (
  name: ConsoleName,
  query: Readonly<Record<string, string | undefined>> = {}
): `/admin${string}` => {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined || value === "" ? [] : [[key, value]]
  )
  const path = name === "" ? "/admin" : (`/admin/console/${name}` as const)
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

type ServicesOf<T> = T extends MethodTable<infer R> ? R : never

type Needs =
  | ServicesOf<typeof hostMethods>
  | Alerts
  | Announcements
  | AuditLog
  | BackupLedger
  | Config
  | CurrentRequest
  | HostCounts
  | HostRows
  | KeyRotations
  | Operators
  | Readiness
  | WatchNotes

/** The result of a handler. */
export type Handled<A> = Effect.Effect<A, PageFailure, Needs>

/** The outcome of a form: done, with a notice on a page; or shown, with a page of its own. */
export type Outcome = { readonly kind: "done"; readonly to: string } | Shown

/** Done, with a notice on another page. */
export const done = (
  name: ConsoleName,
  notice: ConsoleNotice,
  query: Readonly<Record<string, string | undefined>> = {}
): Outcome => ({ kind: "done", to: consolePath(name, { ...query, done: notice }) })

/** A page of the console. */
export interface ConsolePage {
  /** The least role that may see it. */
  readonly role: Role
  /** Reading it is an act for the audit log, because it is about people. */
  readonly act?: string
  readonly show: (operating: Operating, query: URLSearchParams) => Handled<Page>
}

/** The action of a form of the console. */
export interface ConsoleAction {
  /** The least role that may send it. */
  readonly role: Role
  /** The page of its form. */
  readonly page: ConsoleName
  readonly run: (operating: Operating, form: Form) => Handled<Outcome>
}

/** A form of the console, with its CSRF token and the operator's DID. */
export const consoleForm = (
  { visitor, account }: Operating,
  form: {
    readonly action: string
    readonly fields?: Readonly<Record<string, string | undefined>>
    readonly inline?: boolean
    readonly content: Child
  }
): Html =>
  html`<form
    method="post"
    action="/admin/console/${form.action}"
    ${raw(form.inline === true ? 'class="inline"' : "")}
  >
    ${hidden({ csrf: visitor.csrf, operator: account.did, ...form.fields })}${form.content}
  </form>`

/** A button that sends a form with hidden fields only. */
export const consoleButton = (
  operating: Operating,
  of: {
    readonly action: string
    readonly fields?: Readonly<Record<string, string | undefined>>
    readonly label: string
    /** The button's full name, if its label alone doesn't say what it is about. */
    readonly name?: string
    readonly danger?: boolean
  }
): Html => {
  const kind = of.danger === true ? "small danger" : "small quiet"
  const name = of.name !== undefined && html` aria-label="${of.name}"`
  return consoleForm(operating, {
    ...of,
    inline: true,
    content: html`<button type="submit" class="${kind}" ${name}>${of.label}</button>`
  })
}

/** A form that reads: its fields go into the page's address. */
export const lookUpForm = (name: ConsoleName, content: Child): Html =>
  html`<form method="get" action="${consolePath(name)}" class="look-up">${content}</form>`

/** The tabs that a role can see, in order. */
export const tabsOf = (
  role: Role,
  pages: Readonly<Record<ConsoleName, Pick<ConsolePage, "role">>>
): ReadonlyArray<ConsoleTab> =>
  // SAFETY: the keys of the table of texts.
  (Object.keys(text.tabs) as Array<ConsoleTab>).filter((name) => reaches(role, pages[name].role))

/** The content of a page of the console. */
export interface Framed {
  readonly title: string
  readonly tab: ConsoleTab
  readonly body: Child
  readonly wrong?: Wrong | undefined
}

/** A page of the console, with the operator, the tabs and a notice. */
export const framed = (operating: Operating, { title, tab, body, wrong }: Framed): Page => {
  const { view, role, tabs, notice } = operating
  const content = html`<div class="who">
      ${account(view.handle, text.roles[role])}
      <span class="actions"><a href="/account">${text.yourAccount}</a></span>
    </div>
    <nav class="tabs many" aria-label="${text.navigation}">
      ${tabs.map(
        (name) =>
          html`<a href="${consolePath(name)}" ${name === tab && html` aria-current="page"`}
            >${text.tabs[name]}</a
          >`
      )}
    </nav>
    <h1>${title}</h1>
    ${noteOf(wrong)} ${wrong === undefined && notice !== undefined && note("good", notices[notice])}
    ${body}`
  return {
    title: `${title} – ${text.name}`,
    body: content,
    wide: true,
    status: wrong === undefined ? 200 : 400
  }
}
