import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/**
 * Answers that are kept where requests arrive, in each place by itself, and lost at any time.
 *
 * It never fails: what cannot be had is not there. Keys are URLs of this server that nobody else can ask for.
 */
export class EdgeCache extends Context.Service<
  EdgeCache,
  {
    match(key: string): Effect.Effect<Response | undefined>
    /** Keeps an answer with status 200 for as long as its `Cache-Control` says. */
    put(key: string, response: Response): Effect.Effect<void>
  }
>()("nacre/services/EdgeCache") {}
