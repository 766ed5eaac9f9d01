import * as Effect from "effect/Effect"
import { didMethod } from "../../../../core/identity/did.ts"
import { Config } from "../../../../services/host/Config.ts"
import { hostKeyAmong, rotationKey } from "../../../../services/identity/Keys.ts"
import { needsKeyCode } from "../../../../services/identity/ownerKeys.ts"
import { PlcDirectory } from "../../../../services/identity/PlcDirectory.ts"
import { Mailer } from "../../../../services/mail/Mailer.ts"
import { type Child, type Html, html } from "../../html.ts"
import { note } from "../../parts.ts"
import { accountForm } from "../frame.ts"
import { codeField } from "../mailedCode.ts"
import type { Owner } from "../owner.ts"
import type { Wrong } from "../../parts.ts"
import { keys as text, recoveryKey } from "../../text/recoveryKey.ts"

/** The keys that can change an owner's DID, strongest first, and this server's among them. */
export interface OwnerKeys {
  readonly keys: ReadonlyArray<string>
  readonly ours: string
}

/** The keys of an owner's DID, or the page's text if it has none or can't be read. */
export const ownerKeys = Effect.fnUntraced(function* ({ view }: Owner) {
  if (didMethod(view.did) !== "plc") {
    const notice: Html = html`<p>${text.ofDomain}</p>
      <p>${text.ofDomainNext}</p>`
    return { notice }
  }
  const keys = yield* (yield* PlcDirectory).data(view.did).pipe(
    Effect.map(({ rotationKeys }) => rotationKeys),
    Effect.orElseSucceed(() => undefined)
  )
  if (keys === undefined) return { notice: note("warn", text.unreachable) }
  const config = yield* Config
  const ours = (hostKeyAmong(config, keys) ?? rotationKey(config)).didKey
  if (!keys.includes(ours)) return { notice: undefined, keys, ours, isOurs: false as const }
  return { notice: undefined, keys, ours, isOurs: true as const }
})

/** What a key is: this server's, the recovery key (above the server's), or another. */
export const nameOf = (key: string, { keys, ours }: OwnerKeys): string => {
  if (key === ours) return text.ours
  return keys[0] === key ? text.first : text.other
}

/** A list of keys with their names, and something beside some of them. */
export const keyList = (of: OwnerKeys, beside: (key: string) => Child = () => undefined): Html =>
  html`<ul class="list">
    ${of.keys.map(
      (key, index) =>
        html`<li class="row">
          <span class="grow"
            ><strong>${index + 1}. ${nameOf(key, of)} ${beside(key)}</strong
            ><code>${key}</code></span
          >
        </li>`
    )}
  </ul>`

/** Whether a change's code is needed, and was sent. */
export const codeStep = Effect.fnUntraced(function* ({ view }: Owner, isSent: boolean) {
  const { delivers } = yield* Mailer
  if (!needsKeyCode(delivers, view.email)) return "none" as const
  return isSent ? ("sent" as const) : ("wanted" as const)
})

/** The end of a form that changes keys: its button, or a button that sends the code first. */
export const keySubmit = Effect.fnUntraced(function* (
  owner: Owner,
  button: Html,
  { isSent, wrong }: { readonly isSent: boolean; readonly wrong?: Wrong | undefined }
) {
  switch (yield* codeStep(owner, isSent)) {
    case "none":
      return button
    case "wanted":
      return html`<button type="submit">${recoveryKey.sendCode(owner.view.email ?? "")}</button>`
    case "sent":
      return html`<p>${recoveryKey.codeLead}</p>
        ${codeField(wrong)} ${button}`
  }
})

/** A form that sends another code for the same change, once the first was sent. */
export const anotherCode = (
  owner: Owner,
  form: {
    readonly action: string
    readonly fields: Readonly<Record<string, string>>
    readonly isSent: boolean
  }
): Html | undefined =>
  form.isSent
    ? accountForm(owner, {
        ...form,
        content: html`<button type="submit" class="quiet">${recoveryKey.another}</button>`
      })
    : undefined
