import * as Effect from "effect/Effect"
import { totpUri } from "../../../../core/factors/totp.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Config } from "../../../../services/host/Config.ts"
import { html } from "../../html.ts"
import { field } from "../../parts.ts"
import {
  type AccountPage,
  accountForm,
  type Action,
  done,
  framed,
  hrefOf,
  shown
} from "../frame.ts"
import type { Owner } from "../owner.ts"
import { qrCode } from "../qrCode.ts"
import { refusalOf } from "../refusal.ts"
import { dayInWords } from "../words.ts"

const offPage = (owner: Owner, message?: string) =>
  framed(owner, {
    title: "Set up an authenticator",
    tab: "security",
    message,
    body: html`<p class="lead">
        An authenticator app on your phone shows a new code every half minute. From then on your
        password alone does not let anybody in. Passkeys and app passwords go on as they are.
      </p>
      ${accountForm(owner, { action: "authenticator/begin", content: html`<button type="submit">Begin</button>` })}`
  })

const onPage = (owner: Owner, since: number) => {
  const { recoveryCodesLeft } = owner.view
  return framed(owner, {
    title: "Authenticator",
    tab: "security",
    body: html`<p class="lead">On since ${dayInWords(since)}.</p>
      <h2>Recovery codes</h2>
      <p>
        Each lets you in once when your authenticator is not at hand. You have ${recoveryCodesLeft}
        left. New ones take the place of all old ones.
      </p>
      ${accountForm(owner, {
        action: "authenticator/codes",
        content: html`<button type="submit" class="quiet">Make new recovery codes</button>`
      })}
      <h2>Turn it off</h2>
      <p>Your password alone will sign you in again, and the recovery codes are gone.</p>
      ${accountForm(owner, {
        action: "authenticator/off",
        content: html`<button type="submit" class="danger">Turn the authenticator off</button>`
      })}`
  })
}

/** `/account/authenticator`: where it is set up, or turned off. */
export const authenticatorPage: AccountPage = {
  proof: true,
  show: (owner) => {
    const { authenticatorSince: since } = owner.view
    return Effect.succeed(since === undefined ? offPage(owner) : onPage(owner, since))
  }
}

const inGroups = (text: string): string => (text.match(/.{1,4}/g) ?? []).join(" ")

const setUpPage = Effect.fnUntraced(function* (owner: Owner, secret: string, message?: string) {
  const { brand, host } = yield* Config
  const uri = totpUri(secret, { issuer: brand.name ?? host, account: owner.view.handle })
  const content = html`${field({
      name: "code",
      label: "The code that the app shows now",
      autocomplete: "one-time-code",
      numeric: true,
      invalid: message !== undefined,
      autofocus: message !== undefined,
      maxLength: 12
    })} <button type="submit">Turn the authenticator on</button>`
  return framed(owner, {
    title: "Set up an authenticator",
    tab: "security",
    message,
    body: html`<ol class="steps">
      <li>
        <p>Scan this with your authenticator app:</p>
        ${qrCode(uri, "QR code for your authenticator app")}
        <p class="hint">
          On this very device: <a href="${uri}">open it in the app</a>, or type this key:
          <code>${inGroups(secret)}</code>
        </p>
      </li>
      <li>
        ${accountForm(owner, { action: "authenticator/confirm", fields: { secret }, content })}
      </li>
    </ol>`
  })
})

const codesPage = Effect.fnUntraced(function* (owner: Owner, codes: ReadonlyArray<string>) {
  const { host } = yield* Config
  return framed(owner, {
    title: "Your recovery codes",
    tab: "security",
    body: html`<p class="lead">
        Print or write these down and keep them where you find them without your phone. Each is good
        once. They are shown this once only.
      </p>
      <p class="print-only">${owner.view.handle} at ${host}</p>
      <ol class="codes">
        ${codes.map((code) => html`<li><code>${code}</code></li>`)}
      </ol>
      <a class="button" href="${hrefOf(owner, "security")}">I have kept them</a>`
  })
})

/** Makes a secret that is not yet in force; it is told in the answer. */
export const beginAuthenticator: Action = {
  proof: true,
  page: "authenticator",
  run: Effect.fn("account.beginAuthenticator")(function* (owner) {
    const { secret } = yield* (yield* Accounts).call(owner.view.did, "beginAuthenticator", {})
    return shown(yield* setUpPage(owner, secret))
  })
}

const wrong =
  "That code does not fit. Wait for the next one, and see that the phone’s clock is right."

/** Puts the secret in force by a first code; the recovery codes are told in the answer. */
export const confirmAuthenticator: Action = {
  proof: true,
  page: "authenticator",
  run: Effect.fn("account.confirmAuthenticator")(function* (owner, form) {
    const secret = form.get("secret") ?? ""
    const code = form.get("code") ?? ""
    const confirmed = (yield* Accounts).call(owner.view.did, "confirmAuthenticator", { code })
    return yield* confirmed.pipe(
      Effect.flatMap(({ recoveryCodes }) => Effect.map(codesPage(owner, recoveryCodes), shown)),
      Effect.catch((rejected) =>
        Effect.flatMap(
          refusalOf(rejected, rejected.error === "AuthenticationRequired" ? wrong : undefined),
          (message) =>
            // The form brings the secret along to have it shown again; it is drawn, and no more.
            /^[A-Z2-7]{32}$/.test(secret)
              ? Effect.map(setUpPage(owner, secret, message), shown)
              : Effect.succeed(shown(offPage(owner, message)))
        )
      )
    )
  })
}

/** New recovery codes in place of the old, told in the answer. */
export const renewRecoveryCodes: Action = {
  proof: true,
  page: "authenticator",
  run: Effect.fn("account.renewRecoveryCodes")(function* (owner) {
    const call = (yield* Accounts).call(owner.view.did, "renewRecoveryCodes", {})
    return shown(yield* codesPage(owner, (yield* call).recoveryCodes))
  })
}

/** Ends the authenticator, and its recovery codes. */
export const disableAuthenticator: Action = {
  proof: true,
  page: "authenticator",
  run: Effect.fn("account.disableAuthenticator")(function* ({ view }) {
    yield* (yield* Accounts).call(view.did, "disableAuthenticator", {})
    return done("security", "authenticator-off")
  })
}
