import * as Effect from "effect/Effect"
import { didMethod } from "../../../../core/identity/did.ts"
import { Config } from "../../../../services/host/Config.ts"
import { PlcDirectory } from "../../../../services/identity/PlcDirectory.ts"
import { rotationKey } from "../../../../services/identity/RotationKey.ts"
import { type Html, html } from "../../html.ts"
import { note } from "../../parts.ts"
import { commandFor } from "../command.ts"
import { type AccountPage, framed } from "../frame.ts"
import type { Owner } from "../owner.ts"

const verdict = (keys: ReadonlyArray<string>, ours: string): Html => {
  const at = keys.indexOf(ours)
  if (at < 0) {
    return note(
      "warn",
      "This server’s key is not among them: it can change neither your handle nor your keys for you."
    )
  }
  return at === 0
    ? note(
        "warn",
        "No recovery key stands before this server’s. If the server is lost, or turns against you, your identity may be lost with it."
      )
    : note(
        "good",
        "A recovery key stands first. Whoever holds it can take your identity back from this server, and undo within 72 hours what the server does to it."
      )
}

const keyRow = (key: string, index: number, ours: string): Html =>
  html`<li class="row">
    <span class="grow"
      ><strong>${index + 1}. ${key === ours ? "This server’s key" : "Another key"}</strong
      ><code>${key}</code></span
    >
  </li>`

const listOf = Effect.fnUntraced(function* (
  owner: Owner,
  keys: ReadonlyArray<string>,
  ours: string
) {
  const isSafe = keys.indexOf(ours) > 0
  const command = yield* commandFor(owner, `key recovery ${isSafe ? "show" : "set"} my.key`)
  return html`${verdict(keys, ours)}
    <p>These keys can change your identity. Each can undo what those after it have done.</p>
    <ul class="list">
      ${keys.map((key, index) => keyRow(key, index, ours))}
    </ul>
    <p class="hint">
      ${
        isSafe
          ? html`Whether the first is yours is told by the command ${command}.`
          : html`Make a key that only you hold, and put it first, by the command ${command}. Keep
            the file where you keep what must not be lost.`
      }
    </p>`
})

const ofPlc = Effect.fnUntraced(function* (owner: Owner) {
  const ours = rotationKey(yield* Config).didKey
  const keys = yield* (yield* PlcDirectory).data(owner.view.did).pipe(
    Effect.map(({ rotationKeys }) => rotationKeys),
    Effect.orElseSucceed(() => undefined)
  )
  if (keys !== undefined) return yield* listOf(owner, keys, ours)
  return note("warn", "The directory that keeps your identity’s keys cannot be asked just now.")
})

/** `/account/keys`: who can change the account's DID. */
export const keysPage: AccountPage = {
  show: Effect.fn("account.keys")(function* (owner) {
    const { did } = owner.view
    const body = html`<p class="lead">
        Your identity in the network is <code>${did}</code>. It stays when you change your handle.
      </p>
      ${
        didMethod(did) === "plc"
          ? yield* ofPlc(owner)
          : html`<p>
              It is bound to a domain name: whoever holds the domain decides over it. There are no
              recovery keys for it.
            </p>`
      }`
    return framed(owner, { title: "Recovery key", tab: "settings", body })
  })
}
