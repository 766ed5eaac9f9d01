import * as Effect from "effect/Effect"
import { inPlainWords } from "../../../../core/oauth/plainWords.ts"
import type { SecurityView } from "../../../../services/sessions/securityCalls.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { grantList } from "../../../oauth/consent.ts"
import { type Html, html } from "../../html.ts"
import { type AccountPage, accountForm, type Action, done, framed, hrefOf } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { agoInWords, appInWords, dayInWords } from "../words.ts"

type App = SecurityView["apps"][number]
type AppPassword = SecurityView["appPasswords"][number]
type Session = SecurityView["sessions"][number]

const connection = (owner: Owner, app: App): Html =>
  html`<div class="row top-aligned">
    <span class="grow"
      ><small
        >Connected ${agoInWords(app.createdAt, owner.now)}, last heard of
        ${agoInWords(app.refreshedAt, owner.now)}.</small
      >
      <details>
        <summary>What it may do</summary>
        ${grantList(inPlainWords(app.granted, new Map()))}
      </details></span
    >
    ${accountForm(owner, {
      action: "apps/disconnect",
      fields: { session: app.id },
      inline: true,
      content: html`<button
        type="submit"
        class="small quiet"
        aria-label="Disconnect ${appInWords(app.clientId)}, connected ${agoInWords(app.createdAt, owner.now)}"
      >
        Disconnect
      </button>`
    })}
  </div>`

/** An app with each of its sessions: one a browser or device on which it was signed in to. */
const appRow = (owner: Owner, [clientId, sessions]: readonly [string, ReadonlyArray<App>]): Html =>
  html`<li class="app">
    <strong>${appInWords(clientId)}</strong>
    <code>${clientId}</code>
    ${sessions.length > 1 && html`<small>Signed in to ${sessions.length} times:</small>`}
    ${sessions.map((session) => connection(owner, session))}
  </li>`

/** Sessions by their app; the app that was heard of last comes first. */
const byClient = (
  apps: ReadonlyArray<App>
): ReadonlyArray<readonly [string, ReadonlyArray<App>]> => {
  const latest = apps.toSorted((one, other) => other.refreshedAt - one.refreshedAt)
  const clients = [...new Set(latest.map(({ clientId }) => clientId))]
  return clients.map((client) => [client, latest.filter(({ clientId }) => clientId === client)])
}

const passwordRow = (owner: Owner, { name, privileged, createdAt }: AppPassword): Html =>
  html`<li class="row">
    <span class="grow"
      ><strong>${name}</strong
      ><small
        >Made on
        ${dayInWords(Date.parse(createdAt))}${
          privileged && ". May read and send direct messages"
        }.</small
      ></span
    >
    ${accountForm(owner, {
      action: "apps/revoke-password",
      fields: { name },
      inline: true,
      content: html`<button type="submit" class="small quiet">Revoke</button>`
    })}
  </li>`

const sessionRow = (owner: Owner, session: Session): Html =>
  html`<li class="row">
    <span class="grow"
      ><strong
        >${session.appPassword === undefined ? "With your password" : html`With the app password “${session.appPassword}”`}</strong
      ><small
        >Since ${dayInWords(session.createdAt)}; ends on ${dayInWords(session.expiresAt)} unless it
        is used before.</small
      ></span
    >
    ${accountForm(owner, {
      action: "apps/end-session",
      fields: { session: session.id },
      inline: true,
      content: html`<button type="submit" class="small quiet">End</button>`
    })}
  </li>`

const listOr = (rows: ReadonlyArray<Html>, none: string): Html =>
  rows.length === 0
    ? html`<p class="hint">${none}</p>`
    : html`<ul class="list">
        ${rows}
      </ul>`

/** `/account/apps`: everything that uses the account in its owner's name. */
export const appsPage: AccountPage = {
  show: (owner) => {
    const { apps, appPasswords, sessions } = owner.view
    const body = html`<h2>Connected apps</h2>
      ${listOr(
        byClient(apps).map((app) => appRow(owner, app)),
        "No app is connected. One that you sign in to by way of this server will stand here."
      )}
      <h2>App passwords</h2>
      <p class="hint">
        For older apps that ask for a name and a password: better one of these than your own.
      </p>
      ${listOr(
        appPasswords.map((appPassword) => passwordRow(owner, appPassword)),
        "There is none."
      )}
      <a class="button quiet" href="${hrefOf(owner, "app-password")}">Make an app password</a>
      <h2>Signed in with a password</h2>
      ${listOr(
        sessions.map((session) => sessionRow(owner, session)),
        "No app is signed in with a password."
      )}`
    return Effect.succeed(framed(owner, { title: "What apps may do", tab: "apps", body }))
  }
}

/** Ends the session of an app; what was agreed to is forgotten. */
export const disconnect: Action = {
  page: "apps",
  run: Effect.fn("account.disconnect")(function* ({ view }, form) {
    yield* (yield* Accounts).call(view.did, "endOAuth", { session: form.get("session") ?? "" })
    return done("apps", "disconnected")
  })
}

/** Ends a session that was opened with a password. */
export const endSession: Action = {
  page: "apps",
  run: Effect.fn("account.endSession")(function* ({ view }, form) {
    yield* (yield* Accounts).call(view.did, "endSession", { session: form.get("session") ?? "" })
    return done("apps", "session-over")
  })
}
