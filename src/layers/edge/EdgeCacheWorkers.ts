import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { EdgeCache } from "../../services/edge/EdgeCache.ts"

/** The cache of this Worker's data centre. */
export const layer: Layer.Layer<EdgeCache> = Layer.succeed(
  EdgeCache,
  EdgeCache.of({
    match: (key) =>
      Effect.tryPromise(() => caches.default.match(key)).pipe(
        Effect.catch((failure) =>
          Effect.as(Effect.logDebug("the edge cache failed", failure), undefined)
        )
      ),
    put: (key, response) =>
      response.status !== 200
        ? Effect.void
        : Effect.tryPromise(() => caches.default.put(key, response)).pipe(
            Effect.catch((failure) => Effect.logDebug("the edge cache failed", failure))
          )
  })
)
