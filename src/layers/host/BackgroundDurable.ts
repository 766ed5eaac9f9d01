import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Background } from "../../services/host/Background.ts"

/** Keeps work alive after the response: a Worker's or an object's context. */
export interface WaitUntil {
  waitUntil(promise: Promise<unknown>): void
}

/** Background work that the platform's `waitUntil` keeps alive. */
export const layer = (context: WaitUntil): Layer.Layer<Background> =>
  Layer.succeed(
    Background,
    Background.of({
      run: (work) =>
        Effect.contextWith((services) =>
          Effect.sync(() =>
            context.waitUntil(
              Effect.runPromiseWith(services)(
                work.pipe(
                  Effect.catchCause((cause) => Effect.logError("background work failed", cause))
                )
              )
            )
          )
        )
    })
  )
