import * as Effect from "effect/Effect"
import { Devices } from "../../../../services/oauth/Devices.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { html } from "../../html.ts"
import { card } from "../card.ts"
import { type AccountPage, type Action, done, framed } from "../frame.ts"
import type { Owner } from "../owner.ts"

const counted = (count: number, one: string, many: string): string =>
  count === 0 ? `no ${many}` : `${count} ${count === 1 ? one : many}`

const waysIn = ({ view }: Owner): string =>
  [
    view.hasPassword ? "a password" : "no password",
    counted(view.passkeys, "passkey", "passkeys"),
    view.secondFactor ? "an authenticator" : "no authenticator"
  ].join(", ")

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`

/** `/account`: who somebody is here, and what the other pages are for. */
export const overviewPage: AccountPage = {
  show: Effect.fn("account.overview")(function* (owner) {
    const { view } = owner
    const devices = yield* (yield* Devices).ofAccount(view.did)
    const held = [
      counted(
        new Set(view.apps.map(({ clientId }) => clientId)).size,
        "connected app",
        "connected apps"
      ),
      counted(view.appPasswords.length, "app password", "app passwords")
    ]
    const body = html`<dl class="facts">
        <dt>Handle</dt>
        <dd>${view.handle}</dd>
        <dt>DID</dt>
        <dd><code>${view.did}</code></dd>
        <dt>Email</dt>
        <dd>
          ${view.email ?? "none"}${view.email !== undefined && !view.emailConfirmed && " (not confirmed)"}
        </dd>
      </dl>
      <ul class="list">
        ${card(owner, "security", "How you sign in", sentence(waysIn(owner)))}
        ${card(owner, "apps", "What apps may do", sentence(held.join(", ")))}
        ${card(owner, "devices", "Where you are signed in", sentence(counted(devices.length, "device", "devices")))}
        ${card(owner, "settings", "Settings", "Email, handle, recovery key, download, leaving.")}
      </ul>`
    return framed(owner, { title: "Your account", tab: "", body })
  })
}

/** Ends the deactivation of an account. */
export const reactivate: Action = {
  page: "",
  run: Effect.fn("account.reactivate")(function* ({ view }) {
    yield* (yield* Accounts).call(view.did, "reactivate", {})
    return done("", "reactivated")
  })
}
