import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Background } from "../host/Background.ts"
import { Config } from "../host/Config.ts"
import { Directory, type EdgeState } from "../accounts/Directory.ts"
import { EdgeCache } from "./EdgeCache.ts"

/**
 * How long entries are kept, in seconds: the longest that deleted data remains, unreachable, in the
 * cache.
 */
const lifetime = 86_400

/** How long a reader waits for the cache before it asks the object. */
const patience = "2 seconds"

/** A cached response, if it is still valid. */
export interface Recalled {
  readonly found: Response | undefined
  /**
   * Caches, after the response was sent, what the account's object returned since.
   *
   * Only if the object allowed sharing; has no effect if the account has been shut meanwhile.
   */
  keep(make: Effect.Effect<Response | undefined>): Effect.Effect<void>
}

/**
 * Responses of accounts' objects, cached at the edge, where repeated requests wake no object.
 *
 * Entries carry the account's epoch: one row of the directory shows whether they are still valid.
 */
export class PublicCache extends Context.Service<
  PublicCache,
  {
    /** Looks an entry up; call it before asking the object. */
    recall(did: string, name: string): Effect.Effect<Recalled>
  }
>()("nacre/services/PublicCache") {}

const nothing: Recalled = { found: undefined, keep: () => Effect.void }

/** Caches nothing, for platforms without a cache. */
export const layerNone: Layer.Layer<PublicCache> = Layer.succeed(
  PublicCache,
  PublicCache.of({ recall: () => Effect.succeed(nothing) })
)

const header = "nacre-epoch"

const make = (
  background: Background["Service"],
  cache: EdgeCache["Service"],
  directory: Directory["Service"],
  publicUrl: string
): PublicCache["Service"] => {
  const keep = Effect.fnUntraced(function* (
    key: string,
    did: string,
    state: EdgeState | undefined,
    make: Effect.Effect<Response | undefined>
  ) {
    const epoch =
      state?.isOpen === true ? state.epoch : yield* directory.openEdge(did, state?.epoch)
    const made = epoch === undefined ? undefined : yield* make
    if (made === undefined) return
    made.headers.set("cache-control", `max-age=${lifetime}`)
    made.headers.set(header, String(epoch))
    yield* cache.put(key, made)
  })

  const recall = Effect.fn("PublicCache.recall")(function* (did: string, name: string) {
    const key = `${publicUrl}/.edge/${encodeURIComponent(did)}/${name}`
    const [state, kept] = yield* Effect.all([directory.edgeOf(did), cache.match(key)], {
      concurrency: 2
    })
    const holds = state?.isOpen === true && kept?.headers.get(header) === String(state.epoch)
    if (!holds) yield* Effect.promise(() => kept?.body?.cancel() ?? Promise.resolve())
    const recalled: Recalled = {
      found: holds ? kept : undefined,
      keep: (made) =>
        background.run(
          Effect.catch(keep(key, did, state, made), (failure) =>
            Effect.logDebug("not kept", failure)
          )
        )
    }
    return recalled
  })

  return PublicCache.of({
    recall: (did, name) =>
      recall(did, name).pipe(
        Effect.timeout(patience),
        Effect.catch((failure) =>
          Effect.as(Effect.logWarning("the edge remembers nothing", failure), nothing)
        )
      )
  })
}

/** Caches with the edge's cache and the directory. */
export const layer: Layer.Layer<PublicCache, never, Background | Config | Directory | EdgeCache> =
  Layer.effect(
    PublicCache,
    Effect.gen(function* () {
      const { publicUrl } = yield* Config
      return make(yield* Background, yield* EdgeCache, yield* Directory, publicUrl)
    })
  )
