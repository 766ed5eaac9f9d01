import * as Effect from "effect/Effect"
import { Devices } from "../../../../services/oauth/Devices.ts"
import { Mailer } from "../../../../services/mail/Mailer.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { html } from "../../html.ts"
import { type AccountPage, type Action, card, done, framed } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { overview as text } from "../../text/account.ts"
import { copyable } from "../../parts.ts"
import { common } from "../../text/common.ts"

const waysIn = ({ view }: Owner): string =>
  text.waysIn({
    password: view.hasPassword,
    passkeys: view.passkeys,
    authenticator: view.secondFactor,
    mailedCodes: view.emailFactorSince !== undefined
  })
/** `/account`: the account's names, and links to the other pages. */
export const overviewPage: AccountPage = {
  show: Effect.fn("account.overview")(function* (owner) {
    const { view } = owner
    const { delivers } = yield* Mailer
    const devices = yield* (yield* Devices).ofAccount(view.did)
    const apps = new Set(view.apps.map(({ clientId }) => clientId)).size
    const body = html`<dl class="facts">
        <dt>${common.handle}</dt>
        <dd>${view.handle}</dd>
        <dt>${text.did}</dt>
        <dd>${copyable(view.did)}</dd>
        <dt>${common.email}</dt>
        <dd>
          ${view.email ?? text.noEmail}
          ${delivers && view.email !== undefined && !view.emailConfirmed && text.notConfirmed}
        </dd>
      </dl>
      <ul class="list">
        ${card(owner, "security", text.security, waysIn(owner))}
        ${card(owner, "apps", text.apps, text.appsBelow(apps, view.appPasswords.length))}
        ${card(owner, "devices", text.devices, text.devicesBelow(devices.length))}
        ${card(owner, "activity", text.activity, text.activityBelow)}
        ${card(owner, "settings", text.settings, text.settingsBelow)}
      </ul>`
    return framed(owner, { title: text.title, tab: "", body })
  })
}

/** Undoes a deletion that is held back. */
export const keepAccount: Action = {
  page: "",
  run: Effect.fn("account.keep")(function* ({ view }) {
    yield* Effect.catchTag(
      (yield* Accounts).call(view.did, "undoDeletion"),
      "StatusRefused",
      () => Effect.void
    )
    return done("", "kept")
  })
}

/** Ends the deactivation of an account. */
export const reactivate: Action = {
  page: "",
  run: Effect.fn("account.reactivate")(function* ({ view }) {
    yield* (yield* Accounts).call(view.did, "reactivate")
    return done("", "reactivated")
  })
}
