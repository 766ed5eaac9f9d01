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
      const theService = () => (built ??= build())
      // SAFETY: every property comes from the service.
      const standIn = new Proxy({} as S, {
        get: (_, name) => Reflect.get(theService(), name),
        has: (_, name) => Reflect.has(theService(), name),
        ownKeys: () => Reflect.ownKeys(theService()),
        getOwnPropertyDescriptor: (_, name) => {
          const found = Reflect.getOwnPropertyDescriptor(theService(), name)
          // A proxy may only report what its own target lacks if it could be removed.
          return found && { ...found, configurable: true }
        }
      })
      return Context.make(service, standIn)
    })
  )
