import * as Effect from "effect/Effect"
import { inPlainWords } from "../../../../core/oauth/plainWords.ts"
import type { SecurityView } from "../../../../services/sessions/calls.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { grantList } from "../../../oauth/consent.ts"
import { type Html, html } from "../../html.ts"
import { type AccountPage, accountForm, type Action, done, framed } from "../frame.ts"
import type { Owner } from "../owner.ts"
import {
  agoInWords,
  appInWords,
  browserInWords,
  clientInWords,
  dayInWords,
  momentInWords
} from "../words.ts"
import { apps as text } from "../../text/apps.ts"
import { accessTokens } from "./accessTokens.ts"
import { appPasswords } from "./appPasswords.ts"
import { listOr } from "./permissions.ts"

type App = SecurityView["apps"][number]
type Session = SecurityView["sessions"][number]

/** “on Chrome on Linux, from Lisbon, Portugal”, as much of it as is known. */
const onBrowser = ({ from: { userAgent, place } }: App): string =>
  text.onBrowser(userAgent === undefined ? undefined : browserInWords(userAgent), place)

const connection = (owner: Owner, app: App): Html =>
  html`<div class="row top-aligned">
    <span class="grow"
      ><small
        >${text.connected(momentInWords(app.createdAt), agoInWords(app.refreshedAt, owner.now), onBrowser(app))}</small
      >
      <details>
        <summary>${text.permissions}</summary>
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
        aria-label="${text.disconnectApp(appInWords(app.clientId), agoInWords(app.createdAt, owner.now))}"
      >
        ${text.disconnect}
      </button>`
    })}
  </div>`

/** An app with its sessions, one for each browser or device on which it was signed in. */
const appRow = (owner: Owner, [clientId, sessions]: readonly [string, ReadonlyArray<App>]): Html =>
  html`<li class="app">
    <strong>${appInWords(clientId)}</strong>
    <code>${clientId}</code>
    ${sessions.length > 1 && html`<small>${text.signedInTimes(sessions.length)}</small>`}
    ${sessions.map((session) => connection(owner, session))}
  </li>`

/** Sessions by app, most recently active app first. */
const byClient = (
  apps: ReadonlyArray<App>
): ReadonlyArray<readonly [string, ReadonlyArray<App>]> => {
  const latest = apps.toSorted((one, other) => other.refreshedAt - one.refreshedAt)
  const clients = [...new Set(latest.map(({ clientId }) => clientId))]
  return clients.map((client) => [client, latest.filter(({ clientId }) => clientId === client)])
}

const sessionRow = (owner: Owner, session: Session): Html =>
  html`<li class="row">
    <span class="grow"
      ><strong>${clientInWords(session.from.userAgent)}</strong
      ><small
        >${session.appPassword === undefined ? text.withPassword : text.withAppPassword(session.appPassword)}.
        ${text.sessionDates(momentInWords(session.createdAt), dayInWords(session.expiresAt), session.from.place)}</small
      ></span
    >
    ${accountForm(owner, {
      action: "apps/end-session",
      fields: { session: session.id },
      inline: true,
      content: html`<button
        type="submit"
        class="small quiet"
        aria-label="${text.endSession(clientInWords(session.from.userAgent), momentInWords(session.createdAt))}"
      >
        ${text.end}
      </button>`
    })}
  </li>`

/** `/account/apps`: everything that uses the account in its owner's name. */
export const appsPage: AccountPage = {
  show: (owner) => {
    const { apps, sessions } = owner.view
    const body = html`<h2>${text.connectedApps}</h2>
      ${listOr(
        byClient(apps).map((app) => appRow(owner, app)),
        text.none
      )}
      ${appPasswords(owner)} ${accessTokens(owner)}
      <h2>${text.sessions}</h2>
      ${listOr(
        sessions.map((session) => sessionRow(owner, session)),
        text.noSessions
      )}`
    return Effect.succeed(framed(owner, { title: text.title, tab: "apps", body }))
  }
}

/** Ends the session of an app and forgets its consent. */
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
