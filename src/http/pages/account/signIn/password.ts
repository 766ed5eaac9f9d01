import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Devices } from "../../../../services/oauth/Devices.ts"
import { html } from "../../html.ts"
import { field } from "../../parts.ts"
import {
  type AccountPage,
  accountForm,
  type Action,
  done,
  framed,
  shown,
  usernameOf
} from "../frame.ts"
import type { Owner } from "../owner.ts"
import { refusalOf } from "../refusal.ts"
import { common } from "../../text/common.ts"
import { password as text } from "../../text/security.ts"

const formPage = (owner: Owner, message?: string) => {
  const invalid = message !== undefined
  const content = html`${usernameOf(owner.view.handle)}
    ${field({
      name: "password",
      label: common.newPassword,
      type: "password",
      autocomplete: "new-password",
      hint: common.passwordRule,
      invalid,
      autofocus: true,
      maxLength: 256
    })}
    ${field({
      name: "again",
      label: common.repeatPassword,
      type: "password",
      autocomplete: "new-password",
      invalid,
      maxLength: 256
    })} <button type="submit">${common.changePassword}</button>`
  const body = html`<p class="lead">${text.lead}</p>
    ${accountForm(owner, { action: "password", content })}`
  const title = owner.view.hasPassword ? text.changeTitle : text.setTitle
  return framed(owner, { title, tab: "security", body, message })
}

/** `/account/password` */
export const passwordPage: AccountPage = {
  proof: true,
  show: (owner) => Effect.succeed(formPage(owner))
}

/** Changes the password. Whoever is signed in anywhere else is so no more. */
export const changePassword: Action = {
  proof: true,
  page: "password",
  run: Effect.fn("account.changePassword")(function* (owner, form) {
    const { view, visitor } = owner
    const password = form.get("password") ?? ""
    if (password !== form.get("again")) {
      return shown(formPage(owner, common.passwordsDiffer))
    }
    const changed = (yield* Accounts).call(view.did, "changePassword", { password })
    const refused = yield* changed.pipe(
      Effect.as(undefined),
      Effect.catch((rejected) => refusalOf(rejected))
    )
    if (refused !== undefined) return shown(formPage(owner, refused))
    const others = (yield* Devices).signOutAll(view.did, { except: visitor.device.id })
    return yield* others.pipe(
      Effect.as(done("security", "password")),
      // The password is changed all the same: who must still be signed out is for the owner to know.
      Effect.orElseSucceed(() => done("devices", "password-only"))
    )
  })
}
