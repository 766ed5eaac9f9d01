import * as Effect from "effect/Effect"
import { Config, type Settings } from "../../services/host/Config.ts"
import { version } from "../../core/host/version.ts"
import { html } from "../pages/html.ts"
import { showPage } from "../pages/layout.ts"
import { textType } from "../responses.ts"

const asText = (config: Settings): Response => {
  const { host, publicUrl, contactEmail, privacyPolicyUrl, termsOfServiceUrl } = config
  const lines = [
    `${host} is a home for accounts of the AT Protocol network.`,
    "",
    `It runs Nacre ${version}, a Personal Data Server on Cloudflare Workers.`,
    "Applications find its methods under /xrpc/.",
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
      title: "Welcome",
      body: html`<h1>Welcome</h1>
        <p class="lead">
          ${config.host} is a home for accounts of the
          <a href="https://atproto.com">AT Protocol</a> network.
        </p>
        <p>
          If yours is here, sign in to an app with it, or look at what is signed in, and how, on its
          own page.
        </p>
        <a class="button" href="/account">Your account</a>
        <p class="hint">This is Nacre ${version}. Apps find its methods under /xrpc/.</p>`
    },
    config
  )

/** `/`: says what this is to whoever looks in: a page to browsers, a text to others. */
export const home = Effect.fn("http.home")(function* ({ headers }: Request) {
  const config = yield* Config
  const answer = headers.get("accept")?.includes("text/html") === true ? asPage : asText
  const response = answer(config)
  response.headers.set("vary", "accept")
  return response
})
