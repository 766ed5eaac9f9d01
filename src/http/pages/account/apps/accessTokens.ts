import * as Effect from "effect/Effect"
import type { SecurityView } from "../../../../services/sessions/calls.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { type Html, html } from "../../html.ts"
import { copyable, fieldIn, type Wrong } from "../../parts.ts"
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
import { wrongOf } from "../refusal.ts"
import { agoInWords, dayInWords } from "../words.ts"
import { accessToken as text, apps } from "../../text/apps.ts"
import { common } from "../../text/common.ts"
import {
  type Chosen,
  chosenIn,
  nothingChosen,
  permissionDetails,
  permissionFields,
  scopeOf
} from "./permissions.ts"

const maxName = 64
const usualDays = 90

interface Filled {
  readonly name?: string
  readonly days?: string
  readonly chosen?: Chosen
  readonly wrong?: Wrong
}

const formPage = (owner: Owner, filled: Filled = {}) => {
  const { name, days = String(usualDays), chosen = nothingChosen("read"), wrong } = filled
  const content = html`${fieldIn(wrong, {
      name: "name",
      label: common.name,
      autocomplete: "off",
      value: name,
      hint: text.nameHint,
      autofocus: true,
      maxLength: maxName
    })}
    ${permissionFields(chosen, wrong)}
    ${fieldIn(wrong, {
      name: "days",
      label: text.days,
      autocomplete: "off",
      value: days,
      hint: text.daysHint,
      numeric: true,
      maxLength: 3
    })} <button type="submit">${text.submit}</button>`
  const body = html`<p class="lead">${text.lead}</p>
    ${accountForm(owner, { action: "access-token", content })}`
  return framed(owner, { title: text.title, tab: "apps", body, wrong })
}

/** `/account/access-token` */
export const accessTokenPage: AccountPage = {
  proof: true,
  show: (owner) => Effect.succeed(formPage(owner))
}

const told = (owner: Owner, made: { readonly name: string; readonly token: string }) =>
  framed(owner, {
    title: text.madeTitle,
    tab: "apps",
    body: html`<p class="lead">${text.made(made.name)}</p>
      <p class="secret">${copyable(made.token)}</p>
      <p class="hint">${text.use}</p>
      <a class="button" href="${hrefOf(owner, "apps")}">${text.copied}</a>`
  })

/** The fault of a form's fields besides its permissions. */
const faultOf = (name: string, days: string): Wrong | undefined => {
  if (name === "") return { text: text.missingName, field: "name" }
  const isDays = /^[0-9]{1,3}$/.test(days) && Number(days) >= 1 && Number(days) <= 366
  return isDays ? undefined : { text: text.badDays, field: "days" }
}

/** Creates an access token and shows it once, in the response. */
export const createAccessToken: Action = {
  proof: true,
  page: "access-token",
  run: Effect.fn("account.createAccessToken")(function* (owner, form) {
    const name = (form.get("name") ?? "").trim().slice(0, maxName)
    const days = (form.get("days") ?? "").trim()
    const chosen = chosenIn(form)
    const again = (wrong: Wrong) => shown(formPage(owner, { name, days, chosen, wrong }))
    const fault = faultOf(name, days)
    if (fault !== undefined) return again(fault)
    const read = scopeOf(chosen)
    if ("wrong" in read) return again(read.wrong)
    const token = { name, scope: read.scope, days: Number(days) }
    return yield* (yield* Accounts).call(owner.view.did, "createOwnToken", token).pipe(
      Effect.map((made) => shown(told(owner, made))),
      Effect.catch((rejected) => Effect.map(wrongOf(rejected, "name"), again))
    )
  })
}

/** Revokes an access token. */
export const revokeAccessToken: Action = {
  page: "apps",
  run: Effect.fn("account.revokeAccessToken")(function* ({ view }, form) {
    yield* (yield* Accounts).call(view.did, "revokeOwnToken", { name: form.get("name") ?? "" })
    return done("apps", "access-token-gone")
  })
}

type Token = SecurityView["ownTokens"][number]

const tokenRow = (owner: Owner, { name, scope, createdAt, expiresAt, usedAt }: Token): Html =>
  html`<li class="row top-aligned">
    <span class="grow"
      ><strong>${name}</strong
      ><small
        >${text.dates(dayInWords(createdAt), dayInWords(expiresAt), expiresAt <= owner.now)}
        ${apps.lastUsed(usedAt === undefined ? undefined : agoInWords(usedAt, owner.now))}</small
      >${permissionDetails(scope)}</span
    >
    ${accountForm(owner, {
      action: "apps/revoke-token",
      fields: { name },
      inline: true,
      content: html`<button type="submit" class="small quiet">${apps.revoke}</button>`
    })}
  </li>`

/** The part of the apps' page about access tokens. */
export const accessTokens = (owner: Owner): Html => {
  const { ownTokens } = owner.view
  return html`<h2>${text.heading}</h2>
    <p class="hint">${text.hint}</p>
    ${
      ownTokens.length === 0
        ? html`<p class="hint">${text.none}</p>`
        : html`<ul class="list">
            ${ownTokens.map((token) => tokenRow(owner, token))}
          </ul>`
    }
    <a class="button quiet" href="${hrefOf(owner, "access-token")}">${text.title}</a>`
}
