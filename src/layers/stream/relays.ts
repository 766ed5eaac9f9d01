import * as Layer from "effect/Layer"
import type { Config } from "../../services/host/Config.ts"
import type { Relays } from "../../services/stream/Relays.ts"
import * as outgoing from "../host/outgoing.ts"
import * as RelaysOutgoing from "./RelaysOutgoing.ts"

/** The configured relays, with a client of their own. */
export const layer = <E>(config: Layer.Layer<Config, E>): Layer.Layer<Relays, E> =>
  RelaysOutgoing.layer.pipe(Layer.provide(outgoing.layer), Layer.provide(config))
