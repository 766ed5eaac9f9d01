/**
 * What a terminal interprets instead of showing: control characters, and marks that reorder or
 * break lines.
 */
const obeyed = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/**
 * One line of text with escapes that a terminal shows; every text from a server must pass through
 * here.
 */
export const printable = (text: string): string => text.replace(obeyed, escaped)

/** This program's own colours, as `style` sets them. */
// oxlint-disable-next-line no-control-regex
const colour = /(\u001B\[(?:1|2|22|31|32|39)m)/

/** Lines for a terminal: keeps line feeds and this program's own colours. */
export const printableLines = (text: string): string =>
  text
    .split("\n")
    .map((line) =>
      line
        .split(colour)
        .map((part, index) => (index % 2 === 1 ? part : printable(part)))
        .join("")
    )
    .join("\n")
