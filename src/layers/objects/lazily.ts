import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { buildAlone } from "./buildAlone.ts"

/**
 * A service that its first use builds: an object wakes to write or read far more often than for
 * anything else. Its layer must build without waiting.
 */
export const lazily = <I, S extends object, R>(
  service: Context.Service<I, S>,
  layer: Layer.Layer<I, never, R>
): Layer.Layer<I, never, R> =>
  Layer.fromBuild(() =>
    Effect.map(Effect.context<R>(), (needs) => {
      let built: S | undefined
      const build = () =>
        Context.get(
          Effect.runSync(Effect.provideContext(buildAlone(layer, Scope.makeUnsafe()), needs)),
          service
        )
      // SAFETY: every property comes from the service.
      const standIn = new Proxy({} as S, {
        get: (_, name) => Reflect.get((built ??= build()), name)
      })
      return Context.make(service, standIn)
    })
  )
