import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Config } from "../../services/host/Config.ts"
import { Outgoing } from "../../services/host/Outgoing.ts"
import { Relays } from "../../services/stream/Relays.ts"
import { isLocalName } from "../../core/host/configSyntax.ts"

/**
 * Relays accept only a hostname: no port, no address, at most 253 characters, and not this machine.
 */
const isCrawlable = (host: string) =>
  host.length <= 253 && /^(?=.*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)

const textOf = (body: Uint8Array) => new TextDecoder().decode(body).slice(0, 200)

/** Calls relays over HTTPS, as configured. */
export const layer: Layer.Layer<Relays, never, Config | Outgoing> = Layer.effect(
  Relays,
  Effect.gen(function* () {
    const { host, isLocal, relays } = yield* Config
    const outgoing = yield* Outgoing

    const requestCrawl = Effect.fn("Relays.requestCrawl")((relay: string) =>
      outgoing
        .request(`${relay}/xrpc/com.atproto.sync.requestCrawl`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ hostname: host }),
          maxBytes: 10_000,
          timeout: "10 seconds",
          allowStatus: "any"
        })
        .pipe(
          Effect.map(({ status, body }) =>
            status < 300 ? { ok: true, status } : { ok: false, status, message: textOf(body) }
          ),
          Effect.catchTags({
            OutgoingRefused: ({ reason }) => Effect.succeed({ ok: false, message: reason }),
            OutgoingFailed: ({ operation }) => Effect.succeed({ ok: false, message: operation })
          })
        )
    )

    // Only relays on the same machine can reach a development server.
    const own = relays.filter((relay) => isLocalName(new URL(relay).hostname))
    const all = isCrawlable(host) ? relays : []
    return Relays.of({ origins: isLocal ? own : all, requestCrawl })
  })
)

/** No relays: nobody is asked to crawl this host. */
export const layerNone: Layer.Layer<Relays> = Layer.succeed(
  Relays,
  Relays.of({ origins: [], requestCrawl: () => Effect.succeed({ ok: false }) })
)
