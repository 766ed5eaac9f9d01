import * as Effect from "effect/Effect"
import { type Html, html } from "../../html.ts"
import { note } from "../../parts.ts"
import { type AccountPage, framed, hrefOf } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { keys as text } from "../../text/recoveryKey.ts"
import { keyList, ownerKeys } from "./keyList.ts"

const verdict = (keys: ReadonlyArray<string>, ours: string): Html => {
  const at = keys.indexOf(ours)
  if (at < 0) return note("warn", text.notOurs)
  return at === 0 ? note("warn", text.unsafe) : note("good", text.safe)
}

const listOf = (owner: Owner, keys: ReadonlyArray<string>, ours: string): Html => {
  const isSafe = keys.indexOf(ours) > 0
  const isOurs = keys.includes(ours)
  return html`${verdict(keys, ours)}
    <p>${text.explain}</p>
    ${keyList({ keys, ours })} ${isSafe && html`<p>${text.check}</p>`}
    ${
      isOurs &&
      html`<p class="pair">
        ${
          keys.length > 1 &&
          html`<a class="button quiet" href="${hrefOf(owner, "remove-key")}">${text.remove}</a>`
        }
        <a class="button ${isSafe && "quiet"}" href="${hrefOf(owner, "recovery-key")}"
          >${isSafe ? text.replace : text.create}</a
        >
      </p>`
    }`
}

/** `/account/keys`: who can change the account's DID. */
export const keysPage: AccountPage = {
  show: Effect.fn("account.keys")(function* (owner) {
    const found = yield* ownerKeys(owner)
    const body = html`<p class="lead">${text.lead(owner.view.did)}</p>
      ${found.notice ?? listOf(owner, found.keys, found.ours)}`
    return framed(owner, { title: text.title, tab: "settings", body })
  })
}
