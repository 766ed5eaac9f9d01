import { type Child, type Html, html, raw } from "./html.ts"
import { common } from "./text/common.ts"

/** Hidden fields. */
export const hidden = (fields: Readonly<Record<string, string | undefined>>): Html =>
  html`${Object.entries(fields).map(
    ([name, value]) =>
      value !== undefined && html`<input type="hidden" name="${name}" value="${value}" />`
  )}`

/** The kinds of notes. */
export type NoteKind = "bad" | "good" | "warn"

/** A note above a form; a bad one is read out at once. */
export const note = (kind: NoteKind, content: Child): Html =>
  html`<div class="note ${kind}" id="note" role="${kind === "bad" ? "alert" : "status"}">
    ${content}
  </div>`

/** An error of a form, and its field unless it concerns the whole form. */
export interface Wrong {
  readonly text: string
  readonly field?: string | undefined
}

/** A form that was rejected, with what was typed. */
export interface Rejected {
  readonly wrong: Wrong
  readonly typed: Readonly<Record<string, string>>
}

/** An input of a form, with its label. */
export interface Field {
  readonly name: string
  readonly label: string
  readonly type?: "text" | "email" | "password" | "date"
  /** For browsers and password managers. */
  readonly autocomplete: string
  readonly value?: string | undefined
  readonly hint?: Child
  readonly locked?: boolean
  /** The note above the form explains what is wrong. */
  readonly invalid?: boolean
  /** The error of this field, shown below it. */
  readonly error?: string | undefined
  readonly optional?: boolean
  readonly autofocus?: boolean
  /** Phones show a keypad of digits. */
  readonly numeric?: boolean
  readonly minLength?: number
  readonly maxLength?: number
  /** Follows the input within the same frame, such as a domain. */
  readonly suffix?: Html | undefined
}

/** The input of a field, without its label. */
const input = (field: Field): Html => {
  const { name, type = "text", autocomplete, value, hint, minLength, maxLength, error } = field
  const isInvalid = field.invalid === true || error !== undefined
  const described = [
    ...(error === undefined ? [] : [`${name}-error`]),
    ...(hint === undefined ? [] : [`${name}-hint`]),
    ...(field.invalid === true ? ["note"] : [])
  ].join(" ")
  const flags = [
    field.optional === true ? "" : " required",
    field.locked === true ? " readonly" : "",
    isInvalid ? ' aria-invalid="true"' : "",
    field.autofocus === true ? " autofocus" : "",
    field.numeric === true ? ' inputmode="numeric"' : "",
    type === "text" ? ' autocapitalize="none" autocorrect="off" spellcheck="false"' : ""
  ].join("")
  return html`<input
    id="${name}"
    name="${name}"
    type="${type}"
    autocomplete="${autocomplete}"
    ${
      value !== undefined && html` value="${value}"`
    }${minLength !== undefined && html` minlength="${minLength}"`}${maxLength !== undefined && html` maxlength="${maxLength}"`}${
      described !== "" && html` aria-describedby="${described}"`
    }${raw(flags)}
  />`
}

/** A button that shows the password; the script of all pages runs it. */
const reveal = html`<button type="button" class="reveal" data-reveal aria-pressed="false" hidden>
  ${common.show}<span class="visually-hidden"> ${common.thePassword}</span>
</button>`

/** A field with its label, hint and error. */
export const field = (of: Field): Html => {
  const suffix = of.suffix ?? (of.type === "password" ? reveal : undefined)
  return html`<div class="field">
    <label for="${of.name}">${of.label}</label>
    ${suffix === undefined ? input(of) : html`<div class="affix">${input(of)}${suffix}</div>`}
    ${of.error !== undefined && html`<p class="error" id="${of.name}-error" role="alert">${of.error}</p>`}
    ${of.hint !== undefined && html`<p class="hint" id="${of.name}-hint">${of.hint}</p>`}
  </div>`
}

/** A field of a form that may have been rejected: the wrong one shows the error and takes the focus. */
export const fieldIn = (wrong: Wrong | undefined, of: Field): Html =>
  field(
    wrong === undefined
      ? of
      : {
          ...of,
          error: wrong.field === of.name ? wrong.text : undefined,
          autofocus: wrong.field === undefined ? of.autofocus === true : wrong.field === of.name
        }
  )

/** The error of a form as a whole, above it. */
export const noteOf = (wrong: Wrong | undefined): Html | undefined =>
  wrong === undefined || wrong.field !== undefined ? undefined : note("bad", wrong.text)

/** A new password, with the rules that the server checks. */
export const newPassword = (
  wrong: Wrong | undefined,
  of: Pick<Field, "label" | "name" | "hint" | "autofocus">
): Html =>
  fieldIn(wrong, {
    ...of,
    type: "password",
    autocomplete: "new-password",
    minLength: 8,
    maxLength: 256
  })

/** Text with a button that copies it, if the browser can. */
export const copyable = (text: string): Html =>
  html`<span class="copyable">
    <code>${text}</code>
    <button
      type="button"
      class="small quiet"
      data-copy
      data-done="${common.copied}"
      aria-live="polite"
      hidden
    >
      ${common.copy}
    </button>
  </span>`

/** A checkbox. */
export const checkbox = (name: string, label: string, checked: boolean): Html =>
  html`<div class="field">
    <label class="check"
      ><input type="checkbox" name="${name}" value="on" ${raw(checked ? " checked" : "")} /><span
        >${label}</span
      ></label
    >
  </div>`

/** An account: the first letter of its handle, the handle, and a line below. */
export const account = (handle: string, below?: Child): Html =>
  html`<span class="face" aria-hidden="true">${handle.slice(0, 1)}</span>
    <span class="grow"
      ><strong>${handle}</strong>${below !== undefined && html`<small>${below}</small>`}</span
    >`
