import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/**
 * Builds an object's services, which share nothing with those of the fiber that builds them.
 *
 * A fiber in an account remembers that account's layers: another account that it wakes would get
 * the same services, and work with the first one's data. The services don't remember their layers
 * either, which would take more memory than the services themselves.
 */
export const buildAlone = <A, E, R>(
  services: Layer.Layer<A, E, R>,
  scope: Scope.Scope
): Effect.Effect<Context.Context<A>, E, R> =>
  Effect.map(
    Effect.suspend(() => Layer.buildWithMemoMap(services, Layer.makeMemoMapUnsafe(), scope)),
    // SAFETY: a service that no layer asks for or provides is left out.
    (built) => Context.omit(Layer.CurrentMemoMap)(built) as Context.Context<A>
  )
