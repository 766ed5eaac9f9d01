import * as Effect from "effect/Effect"
import { Config } from "../services/Config.ts"
import { version } from "../services/version.ts"
import { textType } from "./responseHeaders.ts"

/** `/`: says what this is to whoever looks in. */
export const home = Effect.fn("http.home")(function* () {
  const { host, contactEmail, privacyPolicyUrl, termsOfServiceUrl } = yield* Config
  const lines = [
    `${host} is a home for accounts of the AT Protocol network.`,
    "",
    `It runs Nacre ${version}, a Personal Data Server on Cloudflare Workers.`,
    "Applications find its methods under /xrpc/.",
    "",
    "  https://atproto.com",
    ...(privacyPolicyUrl === undefined ? [] : [`  Privacy: ${privacyPolicyUrl}`]),
    ...(termsOfServiceUrl === undefined ? [] : [`  Terms: ${termsOfServiceUrl}`]),
    ...(contactEmail === undefined ? [] : [`  Contact: ${contactEmail}`])
  ]
  return new Response(`${lines.join("\n")}\n`, { headers: { "content-type": textType } })
})
