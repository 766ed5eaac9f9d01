import type { ComAtprotoAdminDefs } from "@atproto/api"
import { byteSize } from "../../../core/blobs/byteSize.ts"
import type { CallOutput } from "../../../services/accounts/AccountCalls.ts"
import { type Html, html } from "../html.ts"
import { fieldIn, type Rejected } from "../parts.ts"
import { frame, inTerminal } from "../text/console.ts"
import { account as text } from "../text/consolePeople.ts"
import { consoleForm } from "./frame.ts"
import type { Operating } from "./operating.ts"

type Storage = CallOutput<"storage">

/** How much an account may store, in words. */
export const limitOf = ({ quota, isOwn }: Storage): string =>
  quota === 0 ? text.noLimit : (isOwn ? text.ownLimit : text.limit)(byteSize(quota))

const valueOf = ({ quota, isOwn }: Storage): string =>
  isOwn ? (quota === 0 ? "none" : byteSize(quota)) : ""

/** The form that changes an account's storage limit. */
export const quotaForm = (
  operating: Operating,
  { did, handle }: ComAtprotoAdminDefs.AccountView,
  storage: Storage,
  serverLimit: number,
  rejected?: Rejected
): Html =>
  html`<h2>${text.quota}</h2>
    ${consoleForm(operating, {
      action: "account/quota",
      fields: { did },
      content: html`${fieldIn(rejected?.wrong, {
          name: "quota",
          label: text.quota,
          autocomplete: "off",
          value: rejected?.typed["quota"] ?? valueOf(storage),
          hint: text.quotaHint(serverLimit === 0 ? text.noLimit : byteSize(serverLimit)),
          optional: true,
          maxLength: 20
        })} <button type="submit" class="quiet">${text.quotaSubmit}</button>`
    })}
    <p class="hint">${frame.command} ${inTerminal(`account quota ${handle} 5GB`)}</p>`
