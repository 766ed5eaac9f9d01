import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Devices } from "../../../../services/oauth/Devices.ts"
import { html } from "../../html.ts"
import { newPassword, type Wrong } from "../../parts.ts"
import { type AccountPage, accountForm, type Action, done, framed, usernameOf } from "../frame.ts"
import { shown } from "../../layout.ts"
import type { Owner } from "../owner.ts"
import { wrongOf } from "../refusal.ts"
import { common } from "../../text/common.ts"
import { password as text } from "../../text/security.ts"

const formPage = (owner: Owner, wrong?: Wrong) => {
  const content = html`${usernameOf(owner.view.handle)}
    ${newPassword(wrong, {
      name: "password",
      label: common.newPassword,
      hint: common.passwordRule,
      autofocus: true
    })}
    ${newPassword(wrong, { name: "again", label: common.repeatPassword })}
    <button type="submit">${common.changePassword}</button>`
  const body = html`<p class="lead">${text.lead}</p>
    ${accountForm(owner, { action: "password", content })}`
  const title = owner.view.hasPassword ? text.changeTitle : text.setTitle
  return framed(owner, { title, tab: "security", body, wrong })
}

/** `/account/password` */
export const passwordPage: AccountPage = {
  proof: true,
  show: (owner) => Effect.succeed(formPage(owner))
}

/** Changes the password, and signs out all other devices. */
export const changePassword: Action = {
  proof: true,
  page: "password",
  run: Effect.fn("account.changePassword")(function* (owner, form) {
    const { view, visitor } = owner
    const password = form.get("password") ?? ""
    if (password !== form.get("again")) {
      return shown(formPage(owner, { text: common.passwordsDiffer, field: "again" }))
    }
    const changed = (yield* Accounts).call(view.did, "changePassword", { password })
    const refused = yield* changed.pipe(
      Effect.as(undefined),
      Effect.catch((rejected) => wrongOf(rejected, "password"))
    )
    if (refused !== undefined) return shown(formPage(owner, refused))
    const others = (yield* Devices).signOutAll(view.did, { except: visitor.device.id })
    return yield* others.pipe(
      Effect.as(done("security", "password")),
      // The password has changed nevertheless; the owner must sign the other devices out.
      Effect.orElseSucceed(() => done("devices", "password-only"))
    )
  })
}
