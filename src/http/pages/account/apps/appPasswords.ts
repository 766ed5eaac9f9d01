import * as Effect from "effect/Effect"
import type { SecurityView } from "../../../../services/sessions/calls.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { type Html, html } from "../../html.ts"
import { type Action, done, hrefOf } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { agoInWords, dayInWords } from "../words.ts"
import { appPassword as text, apps, credential } from "../../text/apps.ts"
import { newCredential, revoking } from "./newCredential.ts"
import { listOr, permissionDetails } from "./permissions.ts"

/** `/account/app-password`, and its form. */
export const { page: appPasswordPage, create: createAppPassword } = newCredential({
  page: "app-password",
  usual: "standard",
  text,
  make: Effect.fnUntraced(function* ({ view }, { name, access, scope }) {
    // Those of the protocol have a level instead of a scope, which other clients know.
    const isUsual = access === "standard" || access === "privileged"
    const made = yield* (yield* Accounts).call(view.did, "createAppPassword", {
      name,
      privileged: access === "privileged",
      ...(isUsual ? {} : { scope })
    })
    return made.password
  })
})

/** Revokes an app password and ends its sessions. */
export const revokeAppPassword: Action = {
  page: "apps",
  run: Effect.fn("account.revokeAppPassword")(function* ({ view }, form) {
    yield* (yield* Accounts).call(view.did, "revokeAppPassword", { name: form.get("name") ?? "" })
    return done("apps", "app-password-gone")
  })
}

type AppPassword = SecurityView["appPasswords"][number]

const row = (owner: Owner, of: AppPassword): Html => {
  const { name, privileged, scope, createdAt, usedAt } = of
  return html`<li class="row top-aligned">
    <span class="grow"
      ><strong>${name}</strong
      ><small
        >${text.createdOn(dayInWords(Date.parse(createdAt)), privileged)}
        ${credential.lastUsed(usedAt === undefined ? undefined : agoInWords(usedAt, owner.now))}</small
      >${scope !== undefined && permissionDetails(scope)}</span
    >
    ${revoking(owner, "apps/revoke-password", name)}
  </li>`
}

/** The part of the apps' page about app passwords. */
export const appPasswords = (owner: Owner): Html =>
  html`<h2>${apps.appPasswords}</h2>
    <p class="hint">${apps.appPasswordsHint}</p>
    ${listOr(
      owner.view.appPasswords.map((one) => row(owner, one)),
      credential.none
    )}
    <a class="button quiet" href="${hrefOf(owner, "app-password")}">${text.title}</a>`
