import * as Effect from "effect/Effect"
import type { Accounts } from "../../../../services/accounts/Accounts.ts"
import type { Failure } from "../../../errors.ts"
import type { Form } from "../../browser.ts"
import { type Child, type Html, html } from "../../html.ts"
import { copyable, fieldIn, type Wrong } from "../../parts.ts"
import {
  type AccountPage,
  accountForm,
  type Action,
  framed,
  hrefOf,
  type PageName
} from "../frame.ts"
import { shown } from "../../layout.ts"
import type { Owner } from "../owner.ts"
import { wrongOf } from "../refusal.ts"
import { credential } from "../../text/apps.ts"
import { common } from "../../text/common.ts"
import { type Access, chosenIn, nothingChosen, permissionFields, scopeOf } from "./permissions.ts"

const maxName = 64

/** A kind of credential that an owner makes for an app or a script. */
interface Kind<F extends Failure> {
  /** The page of its form, and the path of its action. */
  readonly page: PageName
  readonly usual: Access
  readonly text: {
    readonly title: string
    readonly lead: string
    readonly nameHint: string
    readonly submit: string
    readonly madeTitle: string
    readonly made: (name: string) => string
  }
  /** Fields after the permissions, with what was typed into them. */
  readonly more?: (form: Form | undefined, wrong: Wrong | undefined) => Child
  /** What is wrong in those fields. */
  readonly fault?: (form: Form) => Wrong | undefined
  /** What is shown below the secret. */
  readonly use?: Child
  /** Makes it; returns its secret. */
  readonly make: (
    owner: Owner,
    of: { readonly name: string; readonly access: Access; readonly scope: string },
    form: Form
  ) => Effect.Effect<string, F, Accounts>
}

/** The page and the action that make a credential, whose secret is shown once, in the response. */
export const newCredential = <F extends Failure>(
  kind: Kind<F>
): { readonly page: AccountPage; readonly create: Action } => {
  const { page, text } = kind
  const formPage = (owner: Owner, form?: Form, wrong?: Wrong) => {
    const chosen = form === undefined ? nothingChosen(kind.usual) : chosenIn(form)
    const content = html`${fieldIn(wrong, {
        name: "name",
        label: common.name,
        autocomplete: "off",
        value: form?.get("name"),
        hint: text.nameHint,
        autofocus: true,
        maxLength: maxName
      })}
      ${permissionFields(chosen, wrong)} ${kind.more?.(form, wrong)}
      <button type="submit">${text.submit}</button>`
    const body = html`<p class="lead">${text.lead}</p>
      ${accountForm(owner, { action: page, content })}`
    return framed(owner, { title: text.title, tab: "apps", body, wrong })
  }
  const withSecret = (owner: Owner, name: string, secret: string) =>
    framed(owner, {
      title: text.madeTitle,
      tab: "apps",
      body: html`<p class="lead">${text.made(name)}</p>
        <p class="secret">${copyable(secret)}</p>
        ${kind.use}
        <a class="button" href="${hrefOf(owner, "apps")}">${credential.copied}</a>`
    })
  return {
    page: { proof: true, show: (owner) => Effect.succeed(formPage(owner)) },
    create: {
      proof: true,
      page,
      run: Effect.fn("account.newCredential")(function* (owner, form) {
        const again = (wrong: Wrong) => shown(formPage(owner, form, wrong))
        const name = (form.get("name") ?? "").trim().slice(0, maxName)
        if (name === "") return again({ text: credential.missingName, field: "name" })
        const fault = kind.fault?.(form)
        if (fault !== undefined) return again(fault)
        const chosen = chosenIn(form)
        const read = scopeOf(chosen)
        if ("wrong" in read) return again(read.wrong)
        const of = { name, access: chosen.access, scope: read.scope }
        return yield* kind.make(owner, of, form).pipe(
          Effect.map((secret) => shown(withSecret(owner, name, secret))),
          Effect.catch((rejected) => Effect.map(wrongOf(rejected, "name"), again))
        )
      })
    }
  }
}

/** The button that revokes an app password or an access token. */
export const revoking = (owner: Owner, action: string, name: string): Html =>
  accountForm(owner, {
    action,
    fields: { name },
    inline: true,
    content: html`<button
      type="submit"
      class="small quiet"
      aria-label="${credential.revokeNamed(name)}"
    >
      ${credential.revoke}
    </button>`
  })
