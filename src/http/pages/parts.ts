import { type Child, type Html, html, raw } from "./html.ts"

/** Fields that a form sends along without showing them. */
export const hidden = (fields: Readonly<Record<string, string | undefined>>): Html =>
  html`${Object.entries(fields).map(
    ([name, value]) =>
      value !== undefined && html`<input type="hidden" name="${name}" value="${value}" />`
  )}`

/** What kinds of notes there are: their colours. */
export type NoteKind = "bad" | "good" | "warn"

/** A note above a form; a bad one is read out at once. */
export const note = (kind: NoteKind, content: Child): Html =>
  html`<div class="note ${kind}" id="note" role="${kind === "bad" ? "alert" : "status"}">
    ${content}
  </div>`

/** A line to be filled in. */
export interface Field {
  readonly name: string
  readonly label: string
  readonly type?: "text" | "email" | "password" | "date"
  /** What browsers and password managers fill in. */
  readonly autocomplete: string
  readonly value?: string | undefined
  readonly hint?: Child
  /** It cannot be changed here. */
  readonly locked?: boolean
  /** What stands in it was refused; the note above says why. */
  readonly invalid?: boolean
  readonly optional?: boolean
  readonly autofocus?: boolean
  /** Digits are asked for. */
  readonly numeric?: boolean
  readonly maxLength?: number
}

/** The input of a field, without its label. */
export const input = (field: Field): Html => {
  const { name, type = "text", autocomplete, value, hint, maxLength } = field
  const described = [
    ...(hint === undefined ? [] : [`${name}-hint`]),
    ...(field.invalid === true ? ["note"] : [])
  ].join(" ")
  const flags = [
    field.optional === true ? "" : " required",
    field.locked === true ? " readonly" : "",
    field.invalid === true ? ' aria-invalid="true"' : "",
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
    }${maxLength !== undefined && html` maxlength="${maxLength}"`}${
      described !== "" && html` aria-describedby="${described}"`
    }${raw(flags)}
  />`
}

/** A field with its label and its hint. */
export const field = (of: Field): Html =>
  html`<div class="field">
    <label for="${of.name}">${of.label}</label>
    ${input(of)}
    ${of.hint !== undefined && html`<p class="hint" id="${of.name}-hint">${of.hint}</p>`}
  </div>`

/** A box to tick. */
export const checkbox = (name: string, label: string, checked: boolean): Html =>
  html`<div class="field">
    <label class="check"
      ><input type="checkbox" name="${name}" value="on" ${raw(checked ? " checked" : "")} /><span
        >${label}</span
      ></label
    >
  </div>`

/** An account as it is shown: the first letter of its handle, the handle, and a line below it. */
export const account = (handle: string, below?: Child): Html =>
  html`<span class="face" aria-hidden="true">${handle.slice(0, 1)}</span>
    <span class="grow"
      ><strong>${handle}</strong>${below !== undefined && html`<small>${below}</small>`}</span
    >`
