import {
  checkCredentialScope,
  credentialScopes,
  permissionChoices
} from "../../../../core/oauth/credentialScope.ts"
import { inPlainWords } from "../../../../core/oauth/plainWords.ts"
import { grantList } from "../../../oauth/consent.ts"
import type { Form } from "../../browser.ts"
import { type Html, html, raw } from "../../html.ts"
import { checkbox, fieldIn, type Wrong } from "../../parts.ts"
import { permissions as text } from "../../text/apps.ts"

/** How much a new app password or access token may do. */
export type Access = keyof typeof credentialScopes | "chosen"

/** A form's permissions as they were sent. */
export interface Chosen {
  readonly access: Access
  /** The names of the ticked permissions. */
  readonly ticked: ReadonlyArray<string>
  /** Other permissions, as scope values. */
  readonly more: string
}

/** The permissions of a new form. */
export const nothingChosen = (access: Access): Chosen => ({ access, ticked: [], more: "" })

const isAccess = (word: string | undefined): word is Access =>
  word === "chosen" || (word !== undefined && Object.hasOwn(credentialScopes, word))

const names = Object.keys(permissionChoices) as ReadonlyArray<keyof typeof permissionChoices>

/** Reads the permissions of a form; read only if it names no existing one. */
export const chosenIn = (form: Form): Chosen => {
  const access = form.get("access")
  return {
    access: isAccess(access) ? access : "read",
    ticked: names.filter((name) => form.get(`may-${name}`) === "on"),
    more: form.get("more") ?? ""
  }
}

/** The scope of a form, or what is wrong with it. */
export const scopeOf = ({
  access,
  ticked,
  more
}: Chosen): { readonly scope: string } | { readonly wrong: Wrong } => {
  if (access !== "chosen") return { scope: credentialScopes[access] }
  const values = names
    .filter((name) => ticked.includes(name))
    .map((name) => permissionChoices[name])
  if (values.length === 0 && more.trim() === "") return { wrong: { text: text.nothing } }
  const checked = checkCredentialScope(`${values.join(" ")} ${more}`)
  if (checked.ok) return { scope: checked.scope }
  return { wrong: { text: text.badValue(checked.value), field: "more" } }
}

const choice = (access: Access, chosen: Chosen): Html =>
  html`<div class="field">
    <label class="check"
      ><input
        type="radio"
        name="access"
        value="${access}"
        ${raw(access === chosen.access ? " checked" : "")}
      /><span>${text.access[access]}</span></label
    >
  </div>`

const titleOf = (scope: string): string =>
  inPlainWords(scope, new Map())
    .map(({ title }) => title)
    .join(", ")

/** The fields for what a new credential may do. */
export const permissionFields = (chosen: Chosen, wrong?: Wrong): Html =>
  html`<fieldset>
      <legend>${text.legend}</legend>
      ${(["standard", "privileged", "read", "chosen"] as const).map((access) => choice(access, chosen))}
    </fieldset>
    <details ${raw(chosen.access === "chosen" ? " open" : "")}>
      <summary>${text.choose}</summary>
      <fieldset>
        <legend>${text.chosenLegend}</legend>
        ${names.map((name) =>
          checkbox(`may-${name}`, titleOf(permissionChoices[name]), chosen.ticked.includes(name))
        )}
        ${fieldIn(wrong, {
          name: "more",
          label: text.more,
          autocomplete: "off",
          value: chosen.more,
          hint: text.moreHint,
          optional: true,
          maxLength: 1000
        })}
      </fieldset>
    </details>`

/** What a credential may do, to open below its name. */
export const permissionDetails = (scope: string): Html =>
  html`<details>
    <summary>${text.summary}</summary>
    ${grantList(inPlainWords(scope, new Map()))}
  </details>`

/** A list, or what replaces an empty one. */
export const listOr = (rows: ReadonlyArray<Html>, none: string): Html =>
  rows.length === 0
    ? html`<p class="hint">${none}</p>`
    : html`<ul class="list">
        ${rows}
      </ul>`
