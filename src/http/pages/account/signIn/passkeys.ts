import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { html } from "../../html.ts"
import {
  creationOptions,
  keepPasskey,
  passkeyFields,
  passkeyLead,
  passkeyTaken
} from "../../../factors/newPasskey.ts"
import { passkeyScript } from "../../passkeyScript.ts"
import { credentialOf, usedCeremony } from "../../signInAttempt.ts"
import { type AccountPage, accountForm, type Action, done, framed } from "../frame.ts"
import { shown } from "../../layout.ts"
import type { Owner } from "../owner.ts"
import { refusalOf } from "../refusal.ts"
import { common } from "../../text/common.ts"
import { passkey as text } from "../../text/security.ts"

const formPage = Effect.fnUntraced(function* (owner: Owner, message?: string) {
  const wrong = message === undefined ? undefined : { text: message }
  const { device } = owner.visitor
  const { creation, ticket } = yield* creationOptions(owner.view, device.id)
  const content = passkeyFields(device, ticket)
  const body = html`${passkeyLead}
  ${accountForm(owner, { action: "passkeys/add", passkey: creation, content })}`
  const page = { title: text.title, tab: "security", body, wrong } as const
  return framed(owner, { ...page, script: passkeyScript })
})

/** `/account/passkey` */
export const passkeyPage: AccountPage = { proof: true, show: (owner) => formPage(owner) }

/** Adds the browser's new passkey to the account and to the table of passkey owners. */
export const addPasskey: Action = {
  proof: true,
  page: "passkey",
  run: Effect.fn("account.addPasskey")(function* (owner, form) {
    const { did } = owner.view
    const again = (message: string) => Effect.map(formPage(owner, message), shown)
    const ceremony = yield* usedCeremony(owner.visitor.device.id, form.get("challenge"))
    const response = credentialOf(form.get("credential"))
    if (ceremony === undefined || response === undefined) {
      return yield* again(common.tookTooLong)
    }
    const name = form.get("name") ?? ""
    const made = yield* (yield* Accounts)
      .call(did, "addPasskey", { ...ceremony, name, response })
      .pipe(Effect.catch((rejected) => refusalOf(rejected)))
    if (typeof made === "string") return yield* again(made)
    return (yield* keepPasskey(did, made))
      ? done("security", "passkey-added")
      : yield* again(passkeyTaken)
  })
}

/** Renames a passkey. */
export const renamePasskey: Action = {
  page: "security",
  run: Effect.fn("account.renamePasskey")(function* ({ view }, form) {
    const input = { id: form.get("passkey") ?? "", name: form.get("name") ?? "" }
    yield* (yield* Accounts).call(view.did, "renamePasskey", input)
    return done("security", "passkey-renamed")
  })
}
