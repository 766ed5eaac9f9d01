import type { Settings } from "../../services/host/Config.ts"
import type { WayBack } from "../../services/oauth/authorize.ts"
import { html } from "../pages/html.ts"
import { type Page, redirectTo, showPage } from "../pages/layout.ts"
import { hidden } from "../pages/parts.ts"
import { submitScript } from "../pages/passkeyScript.ts"
import { common } from "../pages/text/common.ts"
import { consent as text } from "../pages/text/consent.ts"

/**
 * The allowed targets of the form that returns to a client: an app's scheme, or any web address.
 *
 * Browsers check every further redirect against `form-action`, and a client's server may redirect
 * to its app's own scheme, which is unknown here. Nobody types a secret on these pages.
 */
export const formActionTo = (redirectUri: string): NonNullable<Page["formAction"]> => {
  const { protocol } = new URL(redirectUri)
  return protocol === "https:" || protocol === "http:" ? "anywhere" : [protocol]
}

const going = { title: text.backTitle, lead: text.backLead }

/**
 * Returns the browser to the client.
 *
 * `direct` redirects. It doesn't work for forms whose page restricts their targets; those get a
 * page that continues by itself.
 */
export const handOver = (
  way: WayBack,
  config: Settings,
  { direct }: { readonly direct: boolean }
) => {
  if (way.kind === "redirect" && direct) return redirectTo(way.url, config)
  if (way.kind === "redirect") {
    const body = html`<h1>${going.title}</h1>
      <p class="lead">${going.lead}</p>
      <a class="button" href="${way.url}">${common.continue}</a>`
    return showPage({ title: going.title, body, refresh: way.url }, config)
  }
  const body = html`<h1>${going.title}</h1>
    <p class="lead">${going.lead}</p>
    <form method="post" action="${way.action}">
      ${hidden(way.fields)}<button type="submit">${common.continue}</button>
    </form>`
  const formAction = formActionTo(way.action)
  return showPage({ title: going.title, body, script: submitScript, formAction }, config)
}
