import * as Effect from "effect/Effect"
import { html } from "../../html.ts"
import { note } from "../../parts.ts"
import { commandFor } from "../command.ts"
import { type AccountPage, framed } from "../frame.ts"

/** `/account/export`: the repo as a file. */
export const exportPage: AccountPage = {
  show: Effect.fn("account.export")(function* (owner) {
    const { did, handle, status } = owner.view
    const href = `/xrpc/com.atproto.sync.getRepo?${new URLSearchParams({ did })}`
    const body = html`<p class="lead">
        Your repository: everything that you have published, with the proof that it is yours.
        Another server can take it in.
      </p>
      ${
        status === undefined
          ? html`<a class="button" href="${href}" download="${handle}.car">Download it (CAR)</a>`
          : note("warn", "While the account is deactivated, only the nacre command can fetch it.")
      }
      <p class="hint">
        Pictures and videos are not in the file, nor are your preferences. All of it is fetched into
        one folder by the command ${yield* commandFor(owner, "export my-folder")}.
      </p>`
    return framed(owner, { title: "Download your data", tab: "settings", body })
  })
}
