import type { ComAtprotoAdminDefs } from "@atproto/api"
import * as Effect from "effect/Effect"
import { reaches } from "../../../core/operators/roles.ts"
import type { CallOutput } from "../../../services/accounts/AccountCalls.ts"
import { Accounts } from "../../../services/accounts/Accounts.ts"
import { Directory } from "../../../services/accounts/Directory.ts"
import { Config } from "../../../services/host/Config.ts"
import { Mailer } from "../../../services/mail/Mailer.ts"
import { Devices } from "../../../services/oauth/Devices.ts"
import type { SecurityView } from "../../../services/sessions/calls.ts"
import { historyRow } from "../account/activity/activity.ts"
import { appInWords, clientInWords, dayInWords, momentInWords } from "../account/words.ts"
import { type Html, html } from "../html.ts"
import { fieldIn, type Rejected } from "../parts.ts"
import { frame, inTerminal } from "../text/console.ts"
import { account as text, bytes, standings } from "../text/consolePeople.ts"
import { checkSignIn } from "../../accounts/adminCare.ts"
import { closedTo, heldDeletion, signInAnswer, suspension } from "./accountCare.ts"
import { dataOf } from "./data.ts"
import { consoleButton, consoleForm, consolePath, type ConsolePage, framed } from "./frame.ts"
import { invitesOfAccount, inviterOf } from "./inviteTree.ts"
import { takedownForm } from "./moderation.ts"
import { limitOf, quotaForm } from "./quota.ts"
import type { Operating } from "./operating.ts"
import { perform } from "./perform.ts"

type Info = ComAtprotoAdminDefs.AccountView

/** The account of a page, with everything that is shown. */
interface Known {
  readonly info: Info
  readonly view: SecurityView
  readonly size: CallOutput<"size">
  readonly takedown: { readonly applied: boolean; readonly ref?: string | undefined } | undefined
  readonly devices: number
  readonly history: CallOutput<"history">["entries"]
  readonly delivers: boolean
  readonly inviter: Html | undefined
  readonly check: Effect.Success<ReturnType<typeof checkSignIn>>
}

const factsOf = ({ info, view, size, takedown, inviter }: Known): Html => {
  const standing = view.status ?? "active"
  return html`<dl class="facts">
    <dt>${text.standing}</dt>
    <dd>
      <span class="tag ${standing === "active" ? "good" : "bad"}">${standings[standing]}</span>
      ${takedown?.ref !== undefined && takedown.applied && text.reference(takedown.ref)}
    </dd>
    <dt>${text.did}</dt>
    <dd><code>${info.did}</code></dd>
    <dt>${text.email}</dt>
    <dd>
      ${info.email ?? text.noEmail}
      ${info.email !== undefined && !view.emailConfirmed && text.unconfirmed}
    </dd>
    <dt>${text.created}</dt>
    <dd>${dayInWords(Date.parse(info.indexedAt))}</dd>
    ${
      inviter !== undefined &&
      html`<dt>${text.invitedBy}</dt>
        <dd>${inviter}</dd>`
    }
    <dt>${text.size}</dt>
    <dd>${text.records(size.records)}, ${text.blobs(bytes(size.used), limitOf(size))}</dd>
  </dl>`
}

const signInOf = ({ view, devices }: Known): Html => {
  const { authenticatorSince, recoveryCodesLeft, passkeyList, appPasswords, apps, sessions } = view
  const clients = [...new Set(apps.map(({ clientId }) => appInWords(clientId)))]
  return html`<dl class="facts">
      <dt>${text.password}</dt>
      <dd>${view.hasPassword ? text.set : text.unset}</dd>
      <dt>${text.authenticator}</dt>
      <dd>
        ${authenticatorSince === undefined ? text.off : text.on(dayInWords(authenticatorSince), recoveryCodesLeft)}
      </dd>
      <dt>${text.passkeys}</dt>
      <dd>${passkeyList.length === 0 ? "0" : passkeyList.map(({ name }) => name).join(", ")}</dd>
      <dt>${text.appPasswords}</dt>
      <dd>${appPasswords.length}</dd>
      <dt>${text.apps}</dt>
      <dd>${clients.length === 0 ? "0" : clients.join(", ")}</dd>
      <dt>${text.devices}</dt>
      <dd>${devices}</dd>
    </dl>
    <h3>${text.sessions}</h3>
    ${
      sessions.length === 0
        ? html`<p class="hint">${text.noSessions}</p>`
        : html`<ul class="list">
            ${sessions.slice(0, 20).map(
              ({ createdAt, from }) =>
                html`<li class="row">
                  <span class="grow"
                    ><strong>${clientInWords(from.userAgent)}</strong
                    ><small>${text.sessionSince(momentInWords(createdAt), from.place)}</small></span
                  >
                </li>`
            )}
          </ul>`
    }`
}

/** How many entries of its history an account's page shows. */
const lastEntries = 10

const historyOf = ({ info, history }: Known): Html =>
  html`${
      history.length === 0
        ? html`<p class="hint">${text.noHistory}</p>`
        : html`<ul class="list">
            ${history.map(historyRow)}
          </ul>`
    }
    <p class="hint">${frame.command} ${inTerminal(`account history ${info.handle}`)}</p>`

const moderationOf = (operating: Operating, { info, takedown, check }: Known): Html => {
  const isDown = takedown?.applied === true
  return html`${suspension(operating, info.did, check)}
    <p class="hint">${text.takeDownHint}</p>
    ${takedownForm(operating, { about: info.did, isDown, back: "account" })}
    <p>
      <a href="${consolePath("moderation", { about: info.handle })}">${text.blobsAndRecords}</a>
    </p>`
}

const writeForm = (operating: Operating, { did }: Info, rejected?: Rejected): Html =>
  consoleForm(operating, {
    action: "account/write",
    fields: { did },
    content: html`${fieldIn(rejected?.wrong, {
        name: "subject",
        label: text.subject,
        autocomplete: "off",
        value: rejected?.typed["subject"],
        maxLength: 200
      })}
      <div class="field">
        <label for="message">${text.message}</label>
        <textarea id="message" name="message" rows="5" maxlength="10000" required>
${rejected?.typed["message"]}</textarea>
      </div>
      <button type="submit" class="quiet">${text.send}</button>`
  })

/** What only an admin may do. */
const helpOf = (operating: Operating, { info, view, delivers }: Known): Html => {
  const { did, handle } = info
  const noCode = delivers && info.email === undefined
  return html`<h2>${text.help}</h2>
    <p class="hint">
      ${noCode ? text.noAddress : delivers ? text.resetHint : text.resetNoMail}
      ${!delivers && inTerminal(`account codes ${handle}`)}
    </p>
    ${!noCode && consoleButton(operating, { action: "account/reset", fields: { did }, label: delivers ? text.reset : text.resetCreate })}
    ${
      view.authenticatorSince !== undefined &&
      html`<p class="hint">${text.factorsHint}</p>
        ${consoleButton(operating, {
          action: "account/reset-factor",
          fields: { did },
          label: text.factors,
          danger: true
        })}
        <p class="hint">${frame.command} ${inTerminal(`account reset-factor ${handle}`)}</p>`
    }`
}

const deleteForm = (operating: Operating, { did, handle }: Info, rejected?: Rejected): Html =>
  html`<h2>${text.delete}</h2>
    ${consoleForm(operating, {
      action: "account/delete",
      fields: { did },
      content: html`${fieldIn(rejected?.wrong, {
          name: "handle",
          label: text.handle,
          autocomplete: "off",
          value: rejected?.typed["handle"],
          hint: text.deleteHint(handle),
          maxLength: 254
        })} <button type="submit" class="danger">${text.delete}</button>`
    })}`

/** The page of an account; fails if it isn't here. */
export const accountView = Effect.fn("console.account")(function* (
  operating: Operating,
  did: string,
  rejected?: Rejected
) {
  const info = yield* perform<Info>(operating, "com.atproto.admin.getAccountInfo", {
    params: { did }
  })
  const accounts = yield* Accounts
  const view = yield* accounts.call(info.did, "security")
  const size = yield* accounts.call(info.did, "size")
  const status = yield* accounts.call(info.did, "subjectStatus", { subject: { kind: "account" } })
  const devices = (yield* (yield* Devices).ofAccount(info.did)).length
  const history = yield* accounts.call(info.did, "history", { limit: lastEntries })
  const { delivers } = yield* Mailer
  const known: Known = {
    info,
    view,
    size,
    takedown: status.takedown,
    devices,
    history: history.entries,
    delivers,
    inviter: yield* inviterOf(operating, info),
    check: yield* checkSignIn(info.did)
  }
  const isAdmin = reaches(operating.role, "admin")
  const isOwn = info.did === operating.view.did
  const closed = yield* closedTo(operating, info.did)
  const body = html`${factsOf(known)} ${heldDeletion(operating, info.did, known.check)}
    <h2>${text.canThey}</h2>
    ${signInAnswer(known.check)}
    <h2>${text.signIn}</h2>
    ${signInOf(known)}
    <h2>${text.history}</h2>
    ${historyOf(known)}
    <h2>${text.moderation}</h2>
    ${closed === undefined ? moderationOf(operating, known) : html`<p class="hint">${closed}</p>`}
    <h2>${text.invites}</h2>
    ${yield* invitesOfAccount(operating, info)}
    ${
      info.email !== undefined &&
      delivers &&
      html`<h2>${text.write}</h2>
        ${writeForm(operating, info, rejected)}`
    }
    ${isAdmin && quotaForm(operating, info, size, (yield* Config).blobQuota, rejected)}
    ${isAdmin && dataOf(operating, info.did)}
    ${isAdmin && !isOwn && html`${helpOf(operating, known)} ${deleteForm(operating, info, rejected)}`}
    ${
      operating.tabs.includes("audit") &&
      html`<h2>${text.acts}</h2>
        <p><a href="${consolePath("audit", { subject: info.did })}">${text.allActs}</a></p>`
    }`
  return framed(operating, { title: info.handle, tab: "accounts", body, wrong: rejected?.wrong })
})

/** `/admin/console/account?did=` */
export const accountPage: ConsolePage = {
  role: "moderator",
  act: "com.atproto.admin.getAccountInfo",
  show: Effect.fnUntraced(function* (operating, query) {
    const did = query.get("did") ?? ""
    const entry = yield* (yield* Directory).byDid(did)
    return entry === undefined
      ? framed(operating, {
          title: frame.tabs.accounts,
          tab: "accounts",
          body: html`<p><a href="${consolePath("accounts")}">${frame.tabs.accounts}</a></p>`,
          wrong: { text: frame.notFoundHere }
        })
      : yield* accountView(operating, did)
  })
}
