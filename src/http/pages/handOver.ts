import type { Settings } from "../../services/Config.ts"
import type { WayBack } from "../../services/oauth/authorize.ts"
import { html } from "./html.ts"
import { redirectTo, showPage } from "./layout.ts"
import { hidden } from "./parts.ts"
import { submitScript } from "./passkeyScript.ts"

/**
 * Where the form that leads back to a client may lead: by scheme, since browsers hold every further redirect of the
 * client's own pages against `form-action` too. It is said on pages where nothing secret is typed.
 */
export const formActionTo = (redirectUri: string): ReadonlyArray<string> => [
  new URL(redirectUri).protocol
]

const going = { title: "Back to the app", lead: "One moment: you are taken back to the app." }

/**
 * Leads the browser back to the client.
 *
 * `direct`: with a redirect. It is not for answers to forms of pages that let them lead nowhere else: those get a page
 * that goes on by itself.
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
      <a class="button" href="${way.url}">Continue</a>`
    return showPage({ title: going.title, body, refresh: way.url }, config)
  }
  const body = html`<h1>${going.title}</h1>
    <p class="lead">${going.lead}</p>
    <form method="post" action="${way.action}">
      ${hidden(way.fields)}<button>Continue</button>
    </form>`
  const formAction = formActionTo(way.action)
  return showPage({ title: going.title, body, script: submitScript, formAction }, config)
}
