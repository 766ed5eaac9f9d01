import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Relays } from "../../services/stream/Relays.ts"

/** No relays: nobody is asked to crawl this host. */
export const layer: Layer.Layer<Relays> = Layer.succeed(
  Relays,
  Relays.of({ origins: [], requestCrawl: () => Effect.succeed({ ok: false }) })
)
