import * as Effect from "effect/Effect"
import { Mailer } from "../../../../services/mail/Mailer.ts"
import { codesFor } from "../../../mail/ownCodes.ts"
import { html } from "../../html.ts"
import { copyable, note } from "../../parts.ts"
import { type AccountPage, framed } from "../frame.ts"
import { codes as text } from "../../text/settings.ts"

const waiting = Effect.fnUntraced(function* (did: string) {
  const codes = yield* codesFor(did)
  if (codes.length === 0) return html`<p>${text.none}</p>`
  return html`<ul class="list">
      ${codes.map(
        ({ purpose, code }) =>
          html`<li class="row">
            <span class="grow"
              ><strong>${text.purposes[purpose] ?? purpose}</strong>${copyable(code)}</span
            >
          </li>`
      )}
    </ul>
    ${note("warn", text.warning)}`
})

/** `/account/codes`: the codes that the server doesn't email, after a recent proof. */
export const codesPage: AccountPage = {
  proof: true,
  show: Effect.fn("account.codes")(function* (owner) {
    const { delivers } = yield* Mailer
    const body = html`<p class="lead">${text.lead}</p>
      ${delivers ? html`<p>${text.mailed}</p>` : yield* waiting(owner.view.did)}`
    return framed(owner, { title: text.title, tab: "settings", body })
  })
}
