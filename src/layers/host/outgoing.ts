import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { didWebHost } from "../../core/identity/did.ts"
import { Config, type Settings } from "../../services/host/Config.ts"
import type { Outgoing } from "../../services/host/Outgoing.ts"
import * as OutgoingFetch from "./OutgoingFetch.ts"

const hostOf = (url: string | undefined): ReadonlyArray<string> =>
  url !== undefined && URL.canParse(url) ? [new URL(url).host] : []

/** The hosts of configured services, which may be under a handle domain. */
const configuredHosts = (settings: Settings): ReadonlyArray<string> => {
  const { appView, chatService, modService, reportService, moderators, mailer } = settings
  const services = [appView, chatService, modService, reportService]
  const dids = [...services.map((one) => one?.did ?? ""), ...moderators]
  const urls = [
    ...services.map((one) => one?.url),
    settings.plcUrl,
    settings.dohUrl,
    ...settings.relays,
    mailer.kind === "http" ? mailer.url : undefined,
    settings.alerts.webhook === undefined ? undefined : Redacted.value(settings.alerts.webhook)
  ]
  return [...dids.flatMap((did) => didWebHost(did) ?? []), ...urls.flatMap(hostOf)]
}

/** The client for outgoing requests, which never requests this server itself. */
export const layer: Layer.Layer<Outgoing, never, Config> = Layer.unwrap(
  Effect.map(Config, (settings) =>
    OutgoingFetch.layer({
      allowHosts: settings.devAllowHosts,
      own: settings,
      besides: configuredHosts(settings)
    })
  )
)
