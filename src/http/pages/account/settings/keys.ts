import * as Effect from "effect/Effect"
import { didMethod } from "../../../../core/identity/did.ts"
import { Config } from "../../../../services/host/Config.ts"
import { PlcDirectory } from "../../../../services/identity/PlcDirectory.ts"
import { rotationKey } from "../../../../services/identity/Keys.ts"
import { type Html, html } from "../../html.ts"
import { note } from "../../parts.ts"
import { type AccountPage, commandFor, framed } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { keys as text } from "../../text/settings.ts"

const verdict = (keys: ReadonlyArray<string>, ours: string): Html => {
  const at = keys.indexOf(ours)
  if (at < 0) {
    return note("warn", text.notOurs)
  }
  return at === 0 ? note("warn", text.unsafe) : note("good", text.safe)
}

const keyRow = (key: string, index: number, ours: string): Html =>
  html`<li class="row">
    <span class="grow"
      ><strong>${index + 1}. ${key === ours ? text.ours : text.other}</strong
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
    <p>${text.explain}</p>
    <ul class="list">
      ${keys.map((key, index) => keyRow(key, index, ours))}
    </ul>
    <p>${isSafe ? text.check : text.set}</p>
    ${command}`
})

const ofPlc = Effect.fnUntraced(function* (owner: Owner) {
  const ours = rotationKey(yield* Config).didKey
  const keys = yield* (yield* PlcDirectory).data(owner.view.did).pipe(
    Effect.map(({ rotationKeys }) => rotationKeys),
    Effect.orElseSucceed(() => undefined)
  )
  if (keys !== undefined) return yield* listOf(owner, keys, ours)
  return note("warn", text.unreachable)
})

/** `/account/keys`: who can change the account's DID. */
export const keysPage: AccountPage = {
  show: Effect.fn("account.keys")(function* (owner) {
    const { did } = owner.view
    const body = html`<p class="lead">${text.lead(did)}</p>
      ${didMethod(did) === "plc" ? yield* ofPlc(owner) : html`<p>${text.ofDomain}</p>`}`
    return framed(owner, { title: text.title, tab: "settings", body })
  })
}
