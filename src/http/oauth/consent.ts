import type { PermissionGroup } from "../../core/oauth/plainWords.ts"
import { choicesOf, type ScopeChoice } from "../../core/oauth/scopeChoices.ts"
import type { Client } from "../../core/oauth/types.ts"
import { type Html, html, raw } from "../pages/html.ts"
import { account, hidden } from "../pages/parts.ts"
import type { Carried } from "../pages/signIn.ts"
import { common } from "../pages/text/common.ts"
import { consent as text } from "../pages/text/consent.ts"

/** A client's name on pages: its verifiable host. */
export const clientName = (client: Client): string =>
  client.kind === "loopback" ? text.appOnDevice : new URL(client.id).host

/** Removes invisible characters and those that change the text's direction. */
const visible = (name: string): string =>
  name
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "")
    .trim()
    .slice(0, 60)

/** Where the user goes next: a host, or an app's scheme. */
const destination = (redirectUri: string): string => {
  const { protocol, host } = new URL(redirectUri)
  return protocol === "https:" || protocol === "http:" ? host : text.theApp(protocol.slice(0, -1))
}

const link = (url: string | undefined, label: string): Html | undefined =>
  url === undefined
    ? undefined
    : html` <a href="${url}" target="_blank" rel="noopener noreferrer">${label}</a>`

/** The requesting app: its full client id, and its own name, marked as such. */
const clientBox = (client: Client, redirectUri: string): Html => {
  const name = client.name === undefined ? "" : visible(client.name)
  return html`<div class="client">
    <strong>${client.kind === "loopback" ? text.appOnDeviceTitle : clientName(client)}</strong>
    <code>${client.id}</code>
    ${
      client.kind === "loopback" && html`<small>${text.loopback}</small><code>${redirectUri}</code>`
    }
    ${
      name !== "" &&
      html`<small>${text.callsItself} “<bdi>${name}</bdi>”. ${text.unverified}</small>`
    }
    <small>${link(client.policyUri, text.privacy)}${link(client.tosUri, text.terms)}</small>
  </div>`
}

const grantTitle = (group: PermissionGroup): Html =>
  html`${group.danger && html`<span class="visually-hidden">${text.sensitive} </span>`}<strong
      >${group.title}</strong
    >`

const grant = (group: PermissionGroup): Html =>
  html`<li${group.danger && html` class="strong"`}>
  ${grantTitle(group)}${grantDetail(group)}
</li>`

const grantDetail = (group: PermissionGroup): Html => html`
  ${group.detail !== undefined && html`<small>${group.detail}</small>`}
  ${group.set !== undefined && group.set !== group.title && html`<small>${text.inTheWordsOf(group.set)}</small>`}
  ${
    group.items.length > 0 &&
    html`<details>
      <summary>${text.details}</summary>
      <small>${group.items.map((item) => html`<span>${item}</span><br />`)}</small>
    </details>`
  }
`

/** The start of the names of the fields that allow scope values. */
export const choicePrefix = "may-"

const choiceItem = (
  { groups, isOptional, scopes }: ScopeChoice,
  at: number,
  leftOut: ReadonlySet<string>
): Html => {
  if (!isOptional) return html`${groups.map(grant)}`
  const isTicked = !scopes.some((scope) => leftOut.has(scope))
  return html`<li class="${groups.some(({ danger }) => danger) ? "choice strong" : "choice"}">
    <label class="check"
      ><input
        type="checkbox"
        name="${choicePrefix}${at}"
        value="${scopes.join(" ")}"
        ${raw(isTicked ? " checked" : "")}
      /><span
        >${groups.map((group, place) => html`${place > 0 && html`<br />`}${grantTitle(group)}`)}</span
      ></label
    >
    ${groups.map(grantDetail)}
  </li>`
}

/** What an app asks for: what it needs, and what its user can leave out. */
const choiceList = (
  groups: ReadonlyArray<PermissionGroup>,
  scope: string,
  leftOut: ReadonlySet<string>
): Html => {
  const choices = choicesOf(groups)
  const shown = new Set(choices.flatMap(({ scopes }) => scopes))
  // A value without words of its own goes along.
  const rest = scope.split(" ").filter((value) => !shown.has(value))
  return html`<ul class="grants">
      ${choices.map((choice, at) => choiceItem(choice, at, leftOut))}
    </ul>
    ${rest.length > 0 && hidden({ [`${choicePrefix}rest`]: rest.join(" ") })}
    ${choices.some((choice) => choice.isOptional) && html`<p class="hint">${text.leaveOut}</p>`}`
}

/** What an app may do, one line each. */
export const grantList = (groups: ReadonlyArray<PermissionGroup>): Html =>
  html`<ul class="grants">
    ${groups.map(grant)}
  </ul>`

/** The data of the consent page. */
export interface ConsentView {
  readonly client: Client
  readonly redirectUri: string
  readonly scope: string
  readonly groups: ReadonlyArray<PermissionGroup>
  /** The scope values that the user left out before. */
  readonly leftOut: ReadonlySet<string>
  readonly handle: string
  readonly carried: Carried
  readonly actions: { readonly accept: string; readonly reject: string }
  /** The URL of the other accounts; undefined if the app requires this one. */
  readonly otherAccount: string | undefined
}

/** The page that asks whether an app may have the requested access. */
export const consentPage = (view: ConsentView): Html => {
  const { client, groups, handle, carried, actions } = view
  return html`<h1>${text.heading}</h1>
    ${clientBox(client, view.redirectUri)}
    <div class="who">
      ${account(handle, text.yourAccount)}
      ${view.otherAccount !== undefined && html`<a href="${view.otherAccount}">${text.useAnother}</a>`}
    </div>
    <form id="cancel" method="post" action="${actions.reject}">${hidden(carried)}</form>
    <form method="post" action="${actions.accept}">
      ${hidden(carried)}
      <h2>${text.ableTo}</h2>
      ${choiceList(groups, view.scope, view.leftOut)}
      <details>
        <summary>${text.asWritten}</summary>
        <p><code>${view.scope}</code></p>
      </details>
      <p class="hint">
        ${text.afterwards} <strong>${destination(view.redirectUri)}</strong>. ${text.endAnytime}
      </p>
      <div class="pair">
        <button type="submit" class="quiet grow" form="cancel">${common.cancel}</button>
        <button type="submit" class="grow">${text.allow}</button>
      </div>
    </form>`
}
