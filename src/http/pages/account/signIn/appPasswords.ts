import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { html } from "../../html.ts"
import {
  type Chosen,
  chosenIn,
  nothingChosen,
  permissionFields,
  scopeOf
} from "../apps/permissions.ts"
import { copyable, fieldIn, type Wrong } from "../../parts.ts"
import { wrongOf } from "../refusal.ts"
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
import { appPassword } from "../../text/apps.ts"
import { common } from "../../text/common.ts"

const maxName = 64

interface Filled {
  readonly name?: string
  readonly chosen?: Chosen
  readonly wrong?: Wrong
}

const formPage = (owner: Owner, filled: Filled = {}) => {
  const { name, chosen = nothingChosen("standard"), wrong } = filled
  const content = html`${fieldIn(wrong, {
      name: "name",
      label: common.name,
      autocomplete: "off",
      value: name,
      hint: appPassword.nameHint,
      autofocus: true,
      maxLength: maxName
    })}
    ${permissionFields(chosen, wrong)} <button type="submit">${appPassword.submit}</button>`
  const body = html`<p class="lead">${appPassword.lead}</p>
    ${accountForm(owner, { action: "app-password", content })}`
  return framed(owner, { title: appPassword.title, tab: "apps", body, wrong })
}

/** `/account/app-password` */
export const appPasswordPage: AccountPage = {
  proof: true,
  show: (owner) => Effect.succeed(formPage(owner))
}

const told = (owner: Owner, made: { readonly name: string; readonly password: string }) =>
  framed(owner, {
    title: appPassword.madeTitle,
    tab: "apps",
    body: html`<p class="lead">${appPassword.made(made.name)}</p>
      <p class="secret">${copyable(made.password)}</p>
      <a class="button" href="${hrefOf(owner, "apps")}">${appPassword.copied}</a>`
  })

/** Creates an app password and shows it once, in the response. */
export const createAppPassword: Action = {
  proof: true,
  page: "app-password",
  run: Effect.fn("account.createAppPassword")(function* (owner, form) {
    const name = (form.get("name") ?? "").trim().slice(0, maxName)
    const chosen = chosenIn(form)
    const again = (wrong: Wrong) => shown(formPage(owner, { name, chosen, wrong }))
    if (name === "") return again({ text: appPassword.missingName, field: "name" })
    const read = scopeOf(chosen)
    if ("wrong" in read) return again(read.wrong)
    const { access } = chosen
    // Those of the protocol have a level instead of a scope, which other clients know.
    const isUsual = access === "standard" || access === "privileged"
    const made = (yield* Accounts).call(owner.view.did, "createAppPassword", {
      name,
      privileged: access === "privileged",
      ...(isUsual ? {} : { scope: read.scope })
    })
    return yield* made.pipe(
      Effect.map((password) => shown(told(owner, password))),
      Effect.catch((rejected) => Effect.map(wrongOf(rejected, "name"), again))
    )
  })
}

/** Revokes an app password and ends its sessions. */
export const revokeAppPassword: Action = {
  page: "apps",
  run: Effect.fn("account.revokeAppPassword")(function* ({ view }, form) {
    yield* (yield* Accounts).call(view.did, "revokeAppPassword", { name: form.get("name") ?? "" })
    return done("apps", "app-password-gone")
  })
}
