import * as Effect from "effect/Effect"
import { totpUri } from "../../../../core/factors/totp.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Config } from "../../../../services/host/Config.ts"
import { html } from "../../html.ts"
import { copyable, fieldIn, type Wrong } from "../../parts.ts"
import { type AccountPage, accountForm, type Action, done, framed, hrefOf } from "../frame.ts"
import { shown } from "../../layout.ts"
import type { Owner } from "../owner.ts"
import { qrCode } from "../qrCode.ts"
import { wrongOf } from "../refusal.ts"
import { dayInWords } from "../words.ts"
import { authenticator as text } from "../../text/security.ts"

const offPage = (owner: Owner, wrong?: Wrong) =>
  framed(owner, {
    title: text.setUpTitle,
    tab: "security",
    wrong,
    body: html`<p class="lead">${text.lead}</p>
      ${accountForm(owner, { action: "authenticator/begin", content: html`<button type="submit">${text.begin}</button>` })}`
  })

const onPage = (owner: Owner, since: number) => {
  const { recoveryCodesLeft } = owner.view
  return framed(owner, {
    title: text.title,
    tab: "security",
    body: html`<p class="lead">${text.onSince(dayInWords(since))}</p>
      <h2>${text.recoveryCodes}</h2>
      <p>${text.recoveryCodesLead(recoveryCodesLeft)}</p>
      ${accountForm(owner, {
        action: "authenticator/codes",
        content: html`<button type="submit" class="quiet">${text.renewCodes}</button>`
      })}
      <h2>${text.turnOffHeading}</h2>
      <p>${text.turnOffLead}</p>
      ${accountForm(owner, {
        action: "authenticator/off",
        content: html`<button type="submit" class="danger">${text.turnOff}</button>`
      })}`
  })
}

/** `/account/authenticator`: sets it up, or turns it off. */
export const authenticatorPage: AccountPage = {
  proof: true,
  show: (owner) => {
    const { authenticatorSince: since } = owner.view
    return Effect.succeed(since === undefined ? offPage(owner) : onPage(owner, since))
  }
}

const inGroups = (text: string): string => (text.match(/.{1,4}/g) ?? []).join(" ")

const setUpPage = Effect.fnUntraced(function* (owner: Owner, secret: string, wrong?: Wrong) {
  const { brand, host } = yield* Config
  const uri = totpUri(secret, { issuer: brand.name ?? host, account: owner.view.handle })
  const content = html`${fieldIn(wrong, {
      name: "code",
      label: text.codeLabel,
      autocomplete: "one-time-code",
      numeric: true,
      maxLength: 12
    })} <button type="submit">${text.turnOn}</button>`
  return framed(owner, {
    title: text.setUpTitle,
    tab: "security",
    wrong,
    body: html`<ol class="steps">
      <li>
        <p>${text.scan}</p>
        ${qrCode(uri, text.qrCode)}
        <p class="hint">${text.onThisDevice(uri)}</p>
        ${copyable(inGroups(secret))}
      </li>
      <li>
        ${accountForm(owner, { action: "authenticator/confirm", fields: { secret }, content })}
      </li>
    </ol>`
  })
})

const codesPage = Effect.fnUntraced(function* (owner: Owner, codes: ReadonlyArray<string>) {
  const { host } = yield* Config
  const asFile = [text.codesOf(owner.view.handle, host), "", ...codes, ""].join("\n")
  return framed(owner, {
    title: text.codesTitle,
    tab: "security",
    body: html`<p class="lead">${text.codesLead}</p>
      <p class="print-only">${text.codesOf(owner.view.handle, host)}</p>
      <ol class="codes">
        ${codes.map((code) => html`<li><code>${code}</code></li>`)}
      </ol>
      <p class="pair">
        <button type="button" class="quiet" data-print hidden>${text.print}</button>
        <a
          class="button quiet"
          download="${text.codesFile(owner.view.handle)}"
          href="data:text/plain;charset=utf-8,${encodeURIComponent(asFile)}"
          >${text.save}</a
        >
      </p>
      <a class="button" href="${hrefOf(owner, "security")}">${text.saved}</a>`
  })
})

/** Creates a pending secret and shows it in the response. */
export const beginAuthenticator: Action = {
  proof: true,
  page: "authenticator",
  run: Effect.fn("account.beginAuthenticator")(function* (owner) {
    const { secret } = yield* (yield* Accounts).call(owner.view.did, "beginAuthenticator")
    return shown(yield* setUpPage(owner, secret))
  })
}

/** Activates the secret with its first code, and shows the recovery codes once, in the response. */
export const confirmAuthenticator: Action = {
  proof: true,
  page: "authenticator",
  run: Effect.fn("account.confirmAuthenticator")(function* (owner, form) {
    const secret = form.get("secret") ?? ""
    const code = form.get("code") ?? ""
    const confirmed = (yield* Accounts).call(owner.view.did, "confirmAuthenticator", { code })
    const made = yield* confirmed.pipe(
      Effect.catchTag(
        "WrongCode",
        () => Effect.succeed<Wrong>({ text: text.wrong, field: "code" }),
        (failure) => wrongOf(failure, "code")
      )
    )
    if ("recoveryCodes" in made) return shown(yield* codesPage(owner, made.recoveryCodes))
    // The form carries the secret only to draw it again.
    return /^[A-Z2-7]{32}$/.test(secret)
      ? shown(yield* setUpPage(owner, secret, made))
      : shown(offPage(owner, made))
  })
}

/** Replaces the recovery codes, and shows the new ones once, in the response. */
export const renewRecoveryCodes: Action = {
  proof: true,
  page: "authenticator",
  run: Effect.fn("account.renewRecoveryCodes")(function* (owner) {
    const call = (yield* Accounts).call(owner.view.did, "renewRecoveryCodes")
    return shown(yield* codesPage(owner, (yield* call).recoveryCodes))
  })
}

/** Removes the authenticator and its recovery codes. */
export const disableAuthenticator: Action = {
  proof: true,
  page: "authenticator",
  run: Effect.fn("account.disableAuthenticator")(function* ({ view }) {
    yield* (yield* Accounts).call(view.did, "disableAuthenticator")
    return done("security", "authenticator-off")
  })
}
