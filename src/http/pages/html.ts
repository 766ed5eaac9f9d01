/** Text that is HTML; outside values in it are escaped. */
export class Html {
  /** Marks HTML. Parsed JSON can never have this field. */
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** A template's value: escapes text, joins lists, and leaves out undefined, null and false. */
export type Child = Html | string | number | false | null | undefined | ReadonlyArray<Child>

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;"
}

/** Escapes text for an element or a quoted attribute. */
const escape = (text: string): string =>
  text.replace(/[&<>"'`]/g, (character) => escapes[character]!)

const textOf = (child: Child): string => {
  if (child instanceof Html) return child.toString()
  if (child === undefined || child === null || child === false) return ""
  return typeof child === "object" ? child.map(textOf).join("") : escape(String(child))
}

/** HTML from a template; escapes every value that isn't HTML. */
export const html = (strings: TemplateStringsArray, ...children: ReadonlyArray<Child>): Html =>
  new Html(strings.reduce((text, part, at) => `${text}${textOf(children[at - 1])}${part}`))

/** HTML without escaping, for constants of the source only. */
export const raw = (constant: string): Html => new Html(constant)
