import * as Effect from "effect/Effect"
import { didMethod, didWebOf } from "../../../../core/identity/did.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Config } from "../../../../services/host/Config.ts"
import { Mailer } from "../../../../services/mail/Mailer.ts"
import { type Html, html } from "../../html.ts"
import { livesAt } from "../../livesAt.ts"
import { copyable, fieldIn, note, type Wrong } from "../../parts.ts"
import { type AccountPage, accountForm, type Action, card, framed, hrefOf } from "../frame.ts"
import { shown } from "../../layout.ts"
import { codeButton, sendsCode, waitingCode } from "../mailedCode.ts"
import type { Owner } from "../owner.ts"
import { wrongOf } from "../refusal.ts"
import { common } from "../../text/common.ts"
import { move as text } from "../../text/move.ts"
import { deactivation, settings } from "../../text/settings.ts"

/** What is left to do here after a move. */
const movedPage = (owner: Owner, host: string) => {
  const isActive = owner.view.status === undefined
  const body = html`<p class="lead">${text.livesAt(host)}</p>
    ${isActive && note("warn", text.stillActive)}
    <h2>${text.stillHere}</h2>
    <ul class="list">
      ${isActive && card(owner, "deactivate", deactivation.title, settings.deactivateBelow)}
      ${card(owner, "export", settings.download, text.downloadBelow)}
      ${card(owner, "delete", settings.delete, text.deleteBelow)}
    </ul>`
  return framed(owner, { title: text.movedTitle, tab: "settings", body })
}

const changes = Effect.fnUntraced(function* (owner: Owner) {
  const { handle } = owner.view
  const isHosted = (yield* Config).handleDomains.some((domain) => handle.endsWith(`.${domain}`))
  return html`<h2>${text.changes}</h2>
    <ul>
      <li>${text.along}</li>
      <li>${isHosted ? text.hosted(handle) : text.domain}</li>
      <li>${text.again}</li>
      <li>${text.stays}</li>
    </ul>
    <p>${text.before({ export: hrefOf(owner, "export"), keys: hrefOf(owner, "keys") })}</p>`
})

const asked = Effect.fnUntraced(function* (owner: Owner) {
  const { did, handle, hasPassword, secondFactor, emailFactorSince } = owner.view
  const { publicUrl } = yield* Config
  return html`<h2>${text.start}</h2>
    <p>${text.startLead}</p>
    <dl class="facts">
      <dt>${text.server}</dt>
      <dd>${copyable(publicUrl)}</dd>
      <dt>${common.handle}</dt>
      <dd>${copyable(handle)}</dd>
      <dt>DID</dt>
      <dd>${copyable(did)}</dd>
      <dt>${common.password}</dt>
      <dd>${text.password}</dd>
    </dl>
    ${!hasPassword && note("warn", text.passwordFirst(hrefOf(owner, "password")))}
    ${secondFactor && html`<p>${text.authenticatorToo}</p>`}
    ${!secondFactor && emailFactorSince !== undefined && html`<p>${text.mailedToo}</p>`}`
})

const code = Effect.fnUntraced(function* (owner: Owner) {
  const { did, email } = owner.view
  const { delivers } = yield* Mailer
  if (didMethod(did) !== "plc") {
    return html`<h2>${text.code}</h2>
      <p>${text.ofDomain}</p>`
  }
  const waiting = yield* waitingCode(owner, ["plc_operation"], text.codeWarning)
  const button = html`<button type="submit" class="quiet">${text.getCode}</button>`
  return html`<h2>${text.code}</h2>
    <p>${delivers ? text.codeByMail : text.codeHere}</p>
    ${waiting}
    ${accountForm(owner, { action: "move/code", content: delivers ? codeButton(email) : button })}`
})

const token = (owner: Owner, wrong?: Wrong, typed?: string): Html =>
  html`<h2>${text.token}</h2>
    <p>${text.tokenLead}</p>
    ${accountForm(owner, {
      action: "move/token",
      content: html`${fieldIn(wrong, {
          name: "server",
          label: text.newServer,
          autocomplete: "off",
          value: typed,
          hint: text.newServerHint,
          maxLength: 300
        })} <button type="submit" class="quiet">${text.createToken}</button>`
    })}`

const page = Effect.fnUntraced(function* (owner: Owner, wrong?: Wrong, typed?: string) {
  const home = owner.livesAt ?? (yield* livesAt(owner.view.did))
  if (home !== undefined) return movedPage(owner, home)
  const body = html`<p class="lead">${text.lead}</p>
    ${yield* changes(owner)} ${yield* asked(owner)} ${yield* code(owner)}
    ${token(owner, wrong, typed)}`
  return framed(owner, { title: text.title, tab: "settings", body, wrong })
})

/** `/account/move`: what another server needs to take the account, and where it lives afterwards. */
export const movePage: AccountPage = { proof: true, show: (owner) => page(owner) }

/** Sends the code that a move takes; a server without mail shows it on the page. */
export const sendMoveCode: Action = sendsCode("move", "plc_operation", page)

/** The host of a server's address as a person types it; undefined for any other text. */
const hostIn = (typed: string): string | undefined => {
  const url = URL.parse(typed.includes("://") ? typed : `https://${typed}`)
  return url === null || url.username !== "" ? undefined : url.host
}

/** Creates a token with which one other server creates the account, and shows it once. */
export const createMoveToken: Action = {
  proof: true,
  page: "move",
  run: Effect.fn("account.createMoveToken")(function* (owner, form) {
    const typed = (form.get("server") ?? "").trim()
    const host = hostIn(typed)
    const again = (wrong: Wrong) => Effect.map(page(owner, wrong, typed), shown)
    const bad: Wrong = { text: text.badServer, field: "server" }
    if (host === undefined || host === (yield* Config).host) return yield* again(bad)
    const call = (yield* Accounts).call(owner.view.did, "createMoveToken", { aud: didWebOf(host) })
    return yield* call.pipe(
      Effect.map((made) =>
        shown(
          framed(owner, {
            title: text.tokenTitle,
            tab: "settings",
            body: html`<p class="lead">${text.tokenFor(host)}</p>
              <p class="secret">${copyable(made)}</p>
              <p>${text.tokenWarning}</p>
              <a class="button" href="${hrefOf(owner, "move")}">${text.back}</a>`
          })
        )
      ),
      Effect.catchTag("ServiceTokenRefused", () => again(bad)),
      Effect.catch((failure) => Effect.flatMap(wrongOf(failure, "server"), again))
    )
  })
}
