import * as Effect from "effect/Effect"
import { secretNames, variableNames } from "../../../core/host/variables.ts"
import { version } from "../../../core/host/version.ts"
import { Config } from "../../../services/host/Config.ts"
import { CurrentRequest } from "../../CurrentRequest.ts"
import { settingWarnings } from "../../host/health.ts"
import { html } from "../html.ts"
import { note } from "../parts.ts"
import { configuration as text } from "../text/consoleHost.ts"
import { type ConsolePage, framed } from "./frame.ts"

/** `/admin/console/configuration`: what is set; of secrets only whether they are. */
export const configurationPage: ConsolePage = {
  role: "admin",
  show: Effect.fn("console.configuration")(function* (operating) {
    const config = yield* Config
    const { given, publicUrl, serviceDid } = config
    const { url } = yield* CurrentRequest
    const warnings = settingWarnings(url, config)
    const open = variableNames.filter((name) => !secretNames.includes(name))
    const set = open.filter((name) => given.has(name))
    const unset = open.filter((name) => !given.has(name))
    const body = html`<p class="lead">${text.lead}</p>
      ${warnings.map(({ variable, message }) => note("warn", `${variable} ${message}`))}
      <h2>${text.server}</h2>
      <dl class="facts">
        <dt>${text.version}</dt>
        <dd>${version}</dd>
        <dt>${text.publicUrl}</dt>
        <dd>${publicUrl}</dd>
        <dt>${text.did}</dt>
        <dd><code>${serviceDid}</code></dd>
      </dl>
      <h2>${text.set}</h2>
      <dl class="facts">
        ${set.map(
          (name) =>
            html`<dt>${name}</dt>
              <dd><code>${given.get(name)}</code></dd>`
        )}
      </dl>
      <h2>${text.secrets}</h2>
      <dl class="facts">
        ${secretNames.map(
          (name) =>
            html`<dt>${name}</dt>
              <dd>${given.has(name) ? text.secretSet : text.secretUnset}</dd>`
        )}
      </dl>
      <h2>${text.unset}</h2>
      <p class="hint">${unset.join(", ")}</p>`
    return framed(operating, { title: text.title, tab: "configuration", body })
  })
}
