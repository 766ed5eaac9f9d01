import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Config } from "../services/Config.ts"
import type { Relays } from "../services/Relays.ts"
import * as OutgoingFetch from "./OutgoingFetch.ts"
import * as RelaysOutgoing from "./RelaysOutgoing.ts"

/** The relays that the configuration names, asked by a client of their own. */
export const layer = <E>(config: Layer.Layer<Config, E>): Layer.Layer<Relays, E> => {
  const outgoing = Layer.unwrap(
    Effect.map(Config, ({ devAllowHosts }) => OutgoingFetch.layer({ allowHosts: devAllowHosts }))
  )
  return RelaysOutgoing.layer.pipe(Layer.provide(outgoing), Layer.provide(config))
}
