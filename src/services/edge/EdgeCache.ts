import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/**
 * Responses cached where requests arrive, separately in each location, and possibly lost at any
 * time.
 *
 * Never fails: unavailable means not found. Keys are URLs of this server that nobody else can
 * request.
 */
export class EdgeCache extends Context.Service<
  EdgeCache,
  {
    match(key: string): Effect.Effect<Response | undefined>
    /** Caches a response with status 200 for as long as its `Cache-Control` says. */
    put(key: string, response: Response): Effect.Effect<void>
  }
>()("nacre/services/EdgeCache") {}
