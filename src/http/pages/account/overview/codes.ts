import * as Effect from "effect/Effect"
import { Mailer } from "../../../../services/mail/Mailer.ts"
import { codesFor } from "../../../mail/ownCodes.ts"
import { html } from "../../html.ts"
import { note } from "../../parts.ts"
import { type AccountPage, framed } from "../frame.ts"

/** What a code is for, as people read it. */
const purposes: Readonly<Record<string, string>> = {
  confirm_email: "To confirm your email address",
  update_email: "To change your email address",
  delete_account: "To delete your account",
  plc_operation: "To change your identity: a move to another server, or a recovery key"
}

const waiting = Effect.fnUntraced(function* (did: string) {
  const codes = yield* codesFor(did)
  if (codes.length === 0) return html`<p>No code waits to be used.</p>`
  return html`<ul class="list">
      ${codes.map(
        ({ purpose, code }) =>
          html`<li class="row">
            <span class="grow"
              ><strong>${purposes[purpose] ?? purpose}</strong><code>${code}</code></span
            >
          </li>`
      )}
    </ul>
    ${note("warn", "A code is for you alone. Nobody who asks you for one means you well.")}`
})

/** `/account/codes`: the codes that no mail brings, for an owner who has just shown who they are. */
export const codesPage: AccountPage = {
  proof: true,
  show: Effect.fn("account.codes")(function* (owner) {
    const { delivers } = yield* Mailer
    const body = html`<p class="lead">
        What cannot be undone asks for a code, which is good once and for a quarter of an hour.
      </p>
      ${
        delivers
          ? html`<p>This server mails them to your address.</p>`
          : yield* waiting(owner.view.did)
      }`
    return framed(owner, { title: "Codes", tab: "settings", body })
  })
}
