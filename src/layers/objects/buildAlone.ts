import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/**
 * Builds an object's services, which share nothing with those of the fiber that builds them.
 *
 * A fiber in an account remembers that account's layers: another account that it wakes would get
 * the same services, and work with the first one's data.
 */
export const buildAlone = <A, E, R>(
  services: Layer.Layer<A, E, R>,
  scope: Scope.Scope
): Effect.Effect<Context.Context<A>, E, R> =>
  Layer.buildWithMemoMap(services, Layer.makeMemoMapUnsafe(), scope)
