import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { Relays } from "../../services/stream/Relays.ts"
import * as Logging from "../host/Logging.ts"
import type { Report } from "./feed.ts"

/** Unavailable relays must not stop the event stream. */
export const relaysIfAny = <E>(relays: Layer.Layer<Relays, E>) =>
  Effect.provide(Relays, relays).pipe(
    Effect.catchCause((cause) =>
      Effect.logError("no relay can be asked to crawl", cause).pipe(
        Effect.provide(Logging.lines),
        Effect.as(undefined)
      )
    )
  )

/** Logs what went wrong outside of an effect. */
export const report: Report = (...parts) =>
  Effect.runSync(Effect.provide(Effect.logError(...parts), Logging.lines))
