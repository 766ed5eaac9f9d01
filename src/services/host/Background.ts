import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** Runs work after the answer has gone out, kept alive by the platform (`waitUntil`); failures are logged. */
export class Background extends Context.Service<
  Background,
  {
    run(work: Effect.Effect<void>): Effect.Effect<void>
  }
>()("nacre/services/Background") {}
