import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Background } from "../../services/host/Background.ts"

/** Background work in fibers, with a way to await it. */
export interface MemoryBackground {
  readonly service: Background["Service"]
  /** Completes when nothing is running, for tests and an orderly stop. */
  readonly idle: Effect.Effect<void>
}

/** Background work in fibers that live as long as the scope. */
export const make: Effect.Effect<MemoryBackground, never, Scope.Scope> = Effect.gen(function* () {
  const running = yield* FiberSet.make<void>()
  return {
    idle: FiberSet.awaitEmpty(running),
    service: Background.of({
      run: (work) =>
        Effect.asVoid(
          FiberSet.run(
            running,
            work.pipe(
              Effect.catchCause((cause) => Effect.logError("background work failed", cause))
            )
          )
        )
    })
  }
})

/** Background work in this process, for Node and tests. */
export const layer: Layer.Layer<Background> = Layer.effect(
  Background,
  make.pipe(Effect.map((background) => background.service))
)
