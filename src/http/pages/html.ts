/** Text that is HTML: what came from outside has been escaped. */
export class Html {
  /** Nothing that was parsed from JSON can be taken for HTML: it has no such field. */
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** What a template takes: text is escaped, lists are joined, nothing is nothing. */
export type Child = Html | string | number | false | null | undefined | ReadonlyArray<Child>

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;"
}

/** Text as it may stand in an element, or in an attribute between quotes. */
export const escape = (text: string): string =>
  text.replace(/[&<>"'`]/g, (character) => escapes[character]!)

const textOf = (child: Child): string => {
  if (child instanceof Html) return child.toString()
  if (child === undefined || child === null || child === false) return ""
  return typeof child === "object" ? child.map(textOf).join("") : escape(String(child))
}

/** HTML out of a template; every value in it is escaped, unless it is HTML already. */
export const html = (strings: TemplateStringsArray, ...children: ReadonlyArray<Child>): Html =>
  new Html(strings.reduce((text, part, at) => `${text}${textOf(children[at - 1])}${part}`))

/** HTML that stands in the source as it is: for constants only, never for what came from outside. */
export const raw = (constant: string): Html => new Html(constant)
