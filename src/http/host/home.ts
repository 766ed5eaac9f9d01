import * as Effect from "effect/Effect"
import { Config, type Settings } from "../../services/host/Config.ts"
import { version } from "../../core/host/version.ts"
import { html } from "../pages/html.ts"
import { showPage } from "../pages/layout.ts"
import { textType } from "../responses.ts"
import { wantsPage } from "../pages/browser.ts"
import { home as text } from "../pages/text/failures.ts"

const asText = (config: Settings): Response => {
  const { host, publicUrl, contactEmail, privacyPolicyUrl, termsOfServiceUrl } = config
  const lines = [
    text.text(host),
    "",
    text.powered(version),
    "",
    `  Your account: ${publicUrl}/account`,
    "  https://atproto.com",
    ...(privacyPolicyUrl === undefined ? [] : [`  Privacy: ${privacyPolicyUrl}`]),
    ...(termsOfServiceUrl === undefined ? [] : [`  Terms: ${termsOfServiceUrl}`]),
    ...(contactEmail === undefined ? [] : [`  Contact: ${contactEmail}`])
  ]
  return new Response(`${lines.join("\n")}\n`, { headers: { "content-type": textType } })
}

const asPage = (config: Settings): Response =>
  showPage(
    {
      title: text.title,
      body: html`<h1>${text.title}</h1>
        <p class="lead">${text.lead(config.host)}</p>
        <p>${text.signedUp}</p>
        <a class="button" href="/account">${text.manage}</a>
        <p class="hint">${text.powered(version)}</p>`
    },
    config
  )

/** `/`: a page for browsers, text for other clients. */
export const home = Effect.fn("http.home")(function* ({ headers }: Request) {
  const config = yield* Config
  const answer = wantsPage(headers) ? asPage : asText
  const response = answer(config)
  response.headers.set("vary", "accept")
  return response
})
