import type { Background } from "../../../services/host/Background.ts"
import type { BlobStore } from "../../../services/blobs/BlobStore.ts"
import type { CurrentRequest } from "../../CurrentRequest.ts"
import * as Effect from "effect/Effect"
import type { Accounts } from "../../../services/accounts/Accounts.ts"
import { Config } from "../../../services/host/Config.ts"
import type { Devices } from "../../../services/oauth/Devices.ts"
import type { Directory } from "../../../services/accounts/Directory.ts"
import type { HandleClaims } from "../../../services/identity/HandleClaims.ts"
import type { Identity } from "../../../services/identity/Identity.ts"
import type { Limiter } from "../../../services/limits/Limiter.ts"
import type { Mailer } from "../../../services/mail/Mailer.ts"
import type { Outgoing } from "../../../services/host/Outgoing.ts"
import type { OAuthRequests } from "../../../services/oauth/OAuthRequests.ts"
import type { PasskeyOwners } from "../../../services/factors/PasskeyOwners.ts"
import type { PlcDirectory } from "../../../services/identity/PlcDirectory.ts"
import type { Form } from "../browser.ts"
import type { PageFailure } from "../failurePage.ts"
import { type Child, type Html, html, raw } from "../html.ts"
import type { Page, Shown } from "../layout.ts"
import { account, hidden, note, noteOf, type Wrong } from "../parts.ts"
import type { Notice } from "./notices.ts"
import type { Owner } from "./owner.ts"
import { dayInWords, momentInWords } from "./words.ts"
import { frame as text } from "../text/account.ts"
import { archiveImport } from "../text/archiveImport.ts"
import { moving } from "../text/moveIn.ts"

/** The pages of an account, by the rest of their path. */
export type PageName =
  | ""
  | "security"
  | "password"
  | "passkey"
  | "authenticator"
  | "email-factor"
  | "apps"
  | "app-password"
  | "access-token"
  | "devices"
  | "activity"
  | "settings"
  | "email"
  | "handle"
  | "keys"
  | "recovery-key"
  | "remove-key"
  | "data"
  | "data/records"
  | "data/record"
  | "data/files"
  | "data/file"
  | "export"
  | "import"
  | "move"
  | "moving"
  | "deactivate"
  | "delete"

/** A page to continue to after a proof: an account's page, or a path of the console. */
export type Destination = PageName | `/admin${string}`

/** Whether a text is a path of the console. */
export const isConsolePath = (text: string): text is `/admin${string}` =>
  text.length <= 500 && /^\/admin(?:\/console\/[a-z-]+)?(?:\?[\w%&=+.~*-]*)?$/.test(text)

/** A path under `/account` with its query, or a path of the console; empty values are left out. */
export const pathOf = (page: string, query: Readonly<Record<string, string>> = {}): string => {
  if (isConsolePath(page)) return page
  const given = Object.entries(query).filter(([, value]) => value !== "")
  const path = page === "" ? "/account" : `/account/${page}`
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

/** The address of an owner's page, with a notice; it names the account if several are signed in. */
export const hrefOf = (
  { several, account }: Owner,
  page: Destination,
  notice?: Notice,
  query: Readonly<Record<string, string>> = {}
): string => pathOf(page, { account: several ? account.did : "", ...query, done: notice ?? "" })

/** The services that the pages' handlers use. */
type Needs =
  | Background
  | BlobStore
  | CurrentRequest
  | Accounts
  | Config
  | Devices
  | Directory
  | HandleClaims
  | Identity
  | Limiter
  | Mailer
  | OAuthRequests
  | Outgoing
  | PasskeyOwners
  | PlcDirectory

/** The result of a handler. */
export type Handled<A> = Effect.Effect<A, PageFailure, Needs>

/** The outcome of a form: done, with a notice on another page; left, after a sign-out; or shown, with a page of its own. */
export type Outcome =
  | { readonly kind: "left"; readonly notice: Notice }
  | {
      readonly kind: "done"
      readonly page: PageName
      readonly notice: Notice
      readonly query?: Readonly<Record<string, string>>
    }
  | Shown

/** Done, with a notice on another page. */
export const done = (
  page: PageName,
  notice: Notice,
  query?: Readonly<Record<string, string>>
): Outcome => ({ kind: "done", page, notice, ...(query === undefined ? {} : { query }) })

/** Done, and the account is signed out on this device. */
export const left = (notice: Notice): Outcome => ({ kind: "left", notice })

/** A page of an account. */
export interface AccountPage {
  /** Requires a recent proof. */
  readonly proof?: boolean
  /** Its page; the query is the address's. */
  readonly show: (owner: Owner, query: URLSearchParams) => Handled<Page>
}

/** A file that an account's page links to. */
export interface Download {
  /** The page that links to it. */
  readonly page: PageName
  /** Requires a recent proof. */
  readonly proof?: boolean
  /** Our own pages show it as a picture. */
  readonly isPicture?: boolean
  /** The file; undefined if the address isn't one that the page links to. */
  readonly open: (owner: Owner, query: URLSearchParams) => Handled<Response | undefined>
}

/** The action of a form on an account's page. */
export interface Action {
  /** Requires a recent proof, because it changes how the account signs in. */
  readonly proof?: boolean
  /** The page of its form. */
  readonly page: PageName
  readonly run: (owner: Owner, form: Form) => Handled<Outcome>
}

const tabs: ReadonlyArray<readonly [PageName, string]> = [
  ["", text.tabs.overview],
  ["security", text.tabs.security],
  ["apps", text.tabs.apps],
  ["devices", text.tabs.devices],
  ["settings", text.tabs.settings]
]

/** A form of an account's page, with its CSRF token and the account's DID. */
export const accountForm = (
  owner: Owner,
  form: {
    readonly action: string
    readonly fields?: Readonly<Record<string, string>>
    /** Whether it is part of a line. */
    readonly inline?: boolean
    /** The options of a new passkey that the form asks for. */
    readonly passkey?: object
    readonly content: Child
  }
): Html =>
  html`<form
    method="post"
    action="/account/${form.action}"
    ${raw(form.inline === true ? 'class="inline"' : "")}
    ${form.passkey !== undefined && html`data-passkey="create" data-options="${JSON.stringify(form.passkey)}" hidden`}
  >
    ${hidden({ csrf: owner.visitor.csrf, account: owner.account.did, ...form.fields })}${form.content}
  </form>`

/** The account of a password form, for password managers, which look for a text field. */
export const usernameOf = (handle: string): Html =>
  html`<input
    type="text"
    name="username"
    autocomplete="username"
    value="${handle}"
    readonly
    hidden
  />`

/** The content of an account's page. */
export interface Framed {
  readonly title: string
  /** The tab that the page belongs to. */
  readonly tab: PageName
  readonly body: Child
  /** The error of a rejected form. */
  readonly wrong?: Wrong | undefined
  readonly script?: string
  /** The script sends requests to this server. */
  readonly connects?: boolean
}

const moved = (owner: Owner, host: string): Html =>
  html`<div class="note warn">
    <p>${text.moved(host)} <a href="${hrefOf(owner, "move")}">${text.whatNow}</a></p>
  </div>`

const inactive = (owner: Owner, { deleteAfter } = owner.view): Html =>
  html`<div class="note warn">
    <p>
      ${text.deactivated}
      ${deleteAfter !== undefined && text.deletedOn(dayInWords(Date.parse(deleteAfter)))}
      <a href="${hrefOf(owner, "import")}">${archiveImport.title}</a>
    </p>
    ${accountForm(owner, {
      action: "reactivate",
      inline: true,
      content: html`<button type="submit" class="small quiet">${text.reactivate}</button>`
    })}
  </div>`

const held = (owner: Owner): Html =>
  html`<div class="note warn">
    <p>${text.deletionHeld(momentInWords(Date.parse(owner.view.deleteAfter ?? "")))}</p>
    ${accountForm(owner, {
      action: "keep",
      inline: true,
      content: html`<button type="submit" class="small quiet">${text.keep}</button>`
    })}
  </div>`

const arriving = (owner: Owner): Html =>
  html`<div class="note warn">
    <p>${moving.unfinished} <a href="${hrefOf(owner, "moving")}">${moving.finish}</a></p>
  </div>`

const standing = (owner: Owner): Html | undefined => {
  const { status, deletionHeld, deleteAfter } = owner.view
  if (status !== "deactivated") return undefined
  if (owner.view.arriving) return arriving(owner)
  if (deletionHeld && deleteAfter !== undefined) return held(owner)
  return owner.livesAt === undefined ? inactive(owner) : moved(owner, owner.livesAt)
}

/** A page of an account, with its owner, the tabs and a notice. */
export const framed = (
  owner: Owner,
  { title, tab, body, wrong, script, connects }: Framed
): Page => {
  const { view } = owner
  const signOut = html`<button type="submit" class="small quiet">${text.signOut}</button>`
  const content = html`<div class="who">
      ${account(view.handle, view.email)}
      <span class="actions"
        >${
          owner.several
            ? html`<a href="/account/switch">${text.switch}</a>`
            : html`<a href="/account/sign-in">${text.addAccount}</a>`
        }
        ${accountForm(owner, { action: "sign-out", inline: true, content: signOut })}</span
      >
    </div>
    <nav class="tabs" aria-label="${text.navigation}">
      ${tabs.map(
        ([page, label]) =>
          html`<a href="${hrefOf(owner, page)}" ${page === tab && html` aria-current="page"`}
            >${label}</a
          >`
      )}
    </nav>
    ${standing(owner)}
    <h1>${title}</h1>
    ${noteOf(wrong)}
    ${wrong === undefined && owner.notice !== undefined && note("good", owner.notice)} ${body}`
  return {
    title,
    body: content,
    wide: true,
    status: wrong === undefined ? 200 : 400,
    ...(script === undefined ? {} : { script }),
    ...(connects === undefined ? {} : { connects })
  }
}

/** A card that links to a page, with a line about it. */
export const card = (owner: Owner, page: PageName, title: string, below: string): Html =>
  html`<li>
    <a class="leads" href="${hrefOf(owner, page)}"
      ><span class="grow"><strong>${title}</strong><small>${below}</small></span></a
    >
  </li>`
