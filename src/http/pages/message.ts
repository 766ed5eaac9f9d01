import type { Settings } from "../../services/host/Config.ts"
import { type Child, html } from "./html.ts"
import { showPage } from "./layout.ts"
import { failures as text } from "./text/failures.ts"

/** A page that says what happened and what to do. */
export interface Message {
  readonly title: string
  readonly text: Child
  readonly status?: number
  readonly link?: { readonly href: string; readonly label: string }
  readonly headers?: Readonly<Record<string, string>>
  /** The failed request's id, for reports. */
  readonly requestId?: string | undefined
}

/** Shows a message. */
export const showMessage = (message: Message, config: Settings): Response => {
  const { title, status = 200, link, headers, requestId } = message
  const body = html`<h1>${title}</h1>
    <p>${message.text}</p>
    ${link !== undefined && html`<a class="button quiet" href="${link.href}">${link.label}</a>`}
    ${requestId !== undefined && html`<p class="hint">${text.requestId(requestId)}</p>`}`
  return showPage({ title, body, status, ...(headers === undefined ? {} : { headers }) }, config)
}

const missing: Message = {
  title: text.missingTitle,
  text: text.missing,
  status: 404,
  link: { href: "/account", label: text.toAccount }
}

/** The page for an unknown address. */
export const showMissing = (config: Settings): Response => showMessage(missing, config)
