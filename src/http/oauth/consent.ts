import type { PermissionGroup } from "../../core/oauth/plainWords.ts"
import type { Client } from "../../core/oauth/types.ts"
import { type Html, html } from "../pages/html.ts"
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

const grant = (group: PermissionGroup): Html =>
  html`<li${group.danger && html` class="strong"`}>
  ${group.danger && html`<span class="visually-hidden">${text.sensitive} </span>`}<strong>${group.title}</strong>
  ${group.detail !== undefined && html`<small>${group.detail}</small>`}
  ${group.set !== undefined && group.set !== group.title && html`<small>${text.inTheWordsOf(group.set)}</small>`}
  ${
    group.items.length > 0 &&
    html`<details>
      <summary>${text.details}</summary>
      <small>${group.items.map((item) => html`<span>${item}</span><br />`)}</small>
    </details>`
  }
</li>`

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
    <h2>${text.ableTo}</h2>
    ${grantList(groups)}
    <details>
      <summary>${text.asWritten}</summary>
      <p><code>${view.scope}</code></p>
    </details>
    <p class="hint">
      ${text.afterwards} <strong>${destination(view.redirectUri)}</strong>. ${text.endAnytime}
    </p>
    <div class="pair">
      <form class="grow" method="post" action="${actions.reject}">
        ${hidden(carried)}<button type="submit" class="quiet">${common.cancel}</button>
      </form>
      <form class="grow" method="post" action="${actions.accept}">
        ${hidden(carried)}<button type="submit">${text.allow}</button>
      </form>
    </div>`
}
