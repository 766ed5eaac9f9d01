/** A mail's subject, plain text and HTML. */
export interface MailText {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** A paragraph of a mail: a sentence, a code, a list of facts, or a link that only opens a page. */
export type Part =
  | string
  | { readonly code: string }
  | { readonly facts: ReadonlyArray<readonly [name: string, value: string]> }
  | { readonly label: string; readonly link: string }

/** The sender's name and colour. */
export interface Letterhead {
  /** The server's brand, or its host name. */
  readonly server: string
  /** `#rrggbb` */
  readonly color?: string | undefined
}

const escaped = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")

const asText = (part: Part): string => {
  if (typeof part === "string") return part
  if ("code" in part) return `    ${part.code}`
  if ("link" in part) return `${part.label}: ${part.link}`
  return part.facts.map(([name, value]) => `${name}: ${value}`).join("\n")
}

const asHtml = (part: Part, color: string): string => {
  if (typeof part === "string") return `<p style="white-space:pre-line">${escaped(part)}</p>`
  if ("code" in part) {
    return `<p style="font:700 24px ui-monospace,monospace;letter-spacing:2px">${escaped(part.code)}</p>`
  }
  if ("link" in part) {
    return `<p><a href="${escaped(part.link)}" style="color:${color};font-weight:600">${escaped(part.label)}</a></p>`
  }
  const rows = part.facts.map(
    ([name, value]) =>
      `<tr><td style="padding:2px 16px 2px 0;opacity:.7">${escaped(name)}</td><td>${escaped(value)}</td></tr>`
  )
  return `<table role="presentation" style="border-collapse:collapse">${rows.join("")}</table>`
}

/**
 * Writes a mail in both forms.
 *
 * The HTML loads nothing, so it doesn't report that it was opened.
 */
export const letter = (
  subject: string,
  parts: ReadonlyArray<Part>,
  { server, color = "#3f46a8" }: Letterhead
): MailText => ({
  subject: `${subject} (${server})`,
  text: `${parts.map(asText).join("\n\n")}\n`,
  html: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escaped(subject)}</title></head><body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif"><div style="max-width:34em;margin:auto"><p style="font-weight:700;font-size:18px;border-bottom:3px solid ${color};padding-bottom:8px">${escaped(server)}</p>${parts.map((part) => asHtml(part, color)).join("")}</div></body></html>`
})
