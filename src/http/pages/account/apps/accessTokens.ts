import * as Effect from "effect/Effect"
import { maxTokenDays, type SecurityView } from "../../../../services/sessions/calls.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import type { Form } from "../../browser.ts"
import { type Html, html } from "../../html.ts"
import { fieldIn } from "../../parts.ts"
import { type Action, done, hrefOf } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { agoInWords, dayInWords } from "../words.ts"
import { accessToken as text, credential } from "../../text/apps.ts"
import { newCredential, revoking } from "./newCredential.ts"
import { listOr, permissionDetails } from "./permissions.ts"

const usualDays = "90"

const daysIn = (form: Form): string => (form.get("days") ?? "").trim()

/** `/account/access-token`, and its form. */
export const { page: accessTokenPage, create: createAccessToken } = newCredential({
  page: "access-token",
  usual: "read",
  text,
  more: (form, wrong) =>
    fieldIn(wrong, {
      name: "days",
      label: text.days,
      autocomplete: "off",
      value: form === undefined ? usualDays : daysIn(form),
      hint: text.daysHint,
      numeric: true,
      maxLength: 3
    }),
  fault: (form) => {
    const days = daysIn(form)
    const isDays = /^[0-9]{1,3}$/.test(days) && Number(days) >= 1 && Number(days) <= maxTokenDays
    return isDays ? undefined : { text: text.badDays, field: "days" }
  },
  use: html`<p class="hint">${text.use} <code>Authorization: Bearer nacre.…</code></p>`,
  make: Effect.fnUntraced(function* ({ view }, { name, scope }, form) {
    const days = Number(daysIn(form))
    const wanted = { name, scope, days }
    return (yield* (yield* Accounts).call(view.did, "createOwnToken", wanted)).token
  })
})

/** Revokes an access token. */
export const revokeAccessToken: Action = {
  page: "apps",
  run: Effect.fn("account.revokeAccessToken")(function* ({ view }, form) {
    yield* (yield* Accounts).call(view.did, "revokeOwnToken", { name: form.get("name") ?? "" })
    return done("apps", "access-token-gone")
  })
}

type Token = SecurityView["ownTokens"][number]

const row = (owner: Owner, { name, scope, createdAt, expiresAt, usedAt }: Token): Html =>
  html`<li class="row top-aligned">
    <span class="grow"
      ><strong>${name}</strong
      ><small
        >${text.dates(dayInWords(createdAt), dayInWords(expiresAt), expiresAt <= owner.now)}
        ${credential.lastUsed(usedAt === undefined ? undefined : agoInWords(usedAt, owner.now))}</small
      >${permissionDetails(scope)}</span
    >
    ${revoking(owner, "apps/revoke-token", name)}
  </li>`

/** The part of the apps' page about access tokens. */
export const accessTokens = (owner: Owner): Html =>
  html`<h2>${text.heading}</h2>
    <p class="hint">${text.hint}</p>
    ${listOr(
      owner.view.ownTokens.map((token) => row(owner, token)),
      credential.none
    )}
    <a class="button quiet" href="${hrefOf(owner, "access-token")}">${text.title}</a>`
