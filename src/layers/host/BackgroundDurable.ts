import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Background } from "../../services/host/Background.ts"

/** What keeps work alive after the answer: a Worker's or an object's context. */
export interface WaitUntil {
  waitUntil(promise: Promise<unknown>): void
}

/** Background work kept alive by the platform's `waitUntil`. */
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
