import * as Effect from "effect/Effect"
import { html } from "../../html.ts"
import { note } from "../../parts.ts"
import { type AccountPage, commandFor, framed } from "../frame.ts"
import { exporting as text } from "../../text/settings.ts"

/** `/account/export`: the repo as a file. */
export const exportPage: AccountPage = {
  show: Effect.fn("account.export")(function* (owner) {
    const { did, handle, status } = owner.view
    const href = `/xrpc/com.atproto.sync.getRepo?${new URLSearchParams({ did })}`
    const body = html`<p class="lead">${text.lead}</p>
      ${
        status === undefined
          ? html`<a class="button" href="${href}" download="${handle}.car">${text.download}</a>`
          : note("warn", text.deactivated)
      }
      <p>${text.everything}</p>
      ${yield* commandFor(owner, "export my-folder")}`
    return framed(owner, { title: text.title, tab: "settings", body })
  })
}
