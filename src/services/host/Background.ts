import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** Runs work after the response, kept alive by the platform (`waitUntil`); logs failures. */
export class Background extends Context.Service<
  Background,
  {
    run(work: Effect.Effect<void>): Effect.Effect<void>
  }
>()("nacre/services/Background") {}
