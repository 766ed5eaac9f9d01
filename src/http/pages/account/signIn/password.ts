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

const formPage = (owner: Owner, message?: string) => {
  const invalid = message !== undefined
  const content = html`${usernameOf(owner.view.handle)}
    ${field({
      name: "password",
      label: "New password",
      type: "password",
      autocomplete: "new-password",
      hint: "8 characters or more.",
      invalid,
      autofocus: true,
      maxLength: 256
    })}
    ${field({
      name: "again",
      label: "The same once more",
      type: "password",
      autocomplete: "new-password",
      invalid,
      maxLength: 256
    })} <button type="submit">Change password</button>`
  const body = html`<p class="lead">
      All connected apps, and your other devices, will be signed out. App passwords and passkeys
      stay.
    </p>
    ${accountForm(owner, { action: "password", content })}`
  const title = owner.view.hasPassword ? "Change your password" : "Set a password"
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
      return shown(formPage(owner, "The two are not the same. Type the new password twice."))
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
