import type { ComAtprotoAdminDefs } from "@atproto/api"
import * as Effect from "effect/Effect"
import { inviteForest, type InviteTree } from "../../../core/accounts/invites.ts"
import { reaches } from "../../../core/operators/roles.ts"
import { Directory, type Invited } from "../../../services/accounts/Directory.ts"
import { maxInvited } from "../../accounts/adminInvites.ts"
import { type Html, html } from "../html.ts"
import { frame, inTerminal } from "../text/console.ts"
import { account as accountText, invites as text } from "../text/consolePeople.ts"
import { consoleButton, consolePath, framed } from "./frame.ts"
import type { Operating } from "./operating.ts"

type Info = ComAtprotoAdminDefs.AccountView

/** An account's name, with a link for those who may see its page. */
const nameOf = ({ role }: Operating, did: string, name: string): Html =>
  reaches(role, "moderator")
    ? html`<a href="${consolePath("account", { did })}">${name}</a>`
    : html`${name}`

const branches = (operating: Operating, trees: ReadonlyArray<InviteTree<Invited>>): Html =>
  html`<ul>
    ${trees.map(
      ({ account, invited }) =>
        html`<li>
          ${nameOf(operating, account.did, account.handle)}
          ${account.note !== undefined && html`<small>${account.note}</small>`}
          ${invited.length > 0 && branches(operating, invited)}
        </li>`
    )}
  </ul>`

/** `/admin/console/invites?tree=`: who invited whom. */
export const treePage = Effect.fn("console.inviteTree")(function* (operating: Operating) {
  const accounts = yield* (yield* Directory).invited({ limit: maxInvited })
  const body = html`<p class="hint">${text.treeLead}</p>
    ${branches(operating, inviteForest(accounts))}
    ${accounts.length === maxInvited && html`<p class="hint">${text.treeCut(maxInvited)}</p>`}
    <p class="hint">${frame.command} ${inTerminal("invite tree")}</p>
    <p><a href="${consolePath("invites")}">${text.back}</a></p>`
  return framed(operating, { title: text.tree, tab: "invites", body })
})

/** By whom and by which code an account came. */
export const inviterOf = Effect.fn("console.inviterOf")(function* (
  operating: Operating,
  { invitedBy }: Info
) {
  if (invitedBy === undefined) return undefined
  const { code, createdBy, forAccount } = invitedBy
  const by = forAccount === "admin" ? createdBy : forAccount
  const entry = yield* (yield* Directory).byDid(by)
  const name =
    by === "admin"
      ? html`${text.administrator}`
      : entry === undefined
        ? html`${by}`
        : nameOf(operating, by, entry.handle)
  // SAFETY: the console's own view of a code, which may have a note.
  const { note } = invitedBy as { readonly note?: string }
  return html`${name}, <a href="${consolePath("invites", { code })}">${code}</a> ${
      note !== undefined && html`(${note})`
    }`
})

/** The most accounts that are listed below their inviter. */
const mostListed = 100

/** An account's codes, and whom it invited. */
export const invitesOfAccount = Effect.fn("console.invitesOfAccount")(function* (
  operating: Operating,
  info: Info
) {
  const invited = yield* (yield* Directory).invited({ by: info.did, limit: mostListed })
  const codes = info.invites ?? []
  const isOff = info.invitesDisabled === true
  return html`${isOff && html`<p>${accountText.invitesOff}</p>`}
  ${
    codes.length === 0
      ? html`<p class="hint">${accountText.noInvites}</p>`
      : html`<p>
          ${codes.map(
            ({ code }) => html`<a href="${consolePath("invites", { code })}">${code}</a> `
          )}
        </p>`
  }
  ${
    invited.length > 0 &&
    html`<p>
      ${accountText.invited}
      ${invited.map(({ did, handle }) => html`${nameOf(operating, did, handle)} `)}
      ${invited.length === mostListed && html`…`}
    </p>`
  }
  ${consoleButton(operating, {
    action: isOff ? "account/allow-invites" : "account/stop-invites",
    fields: { did: info.did },
    label: isOff ? accountText.enableInvites : accountText.disableInvites
  })}`
})
