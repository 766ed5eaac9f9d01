import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Background } from "../host/Background.ts"
import { Config } from "../host/Config.ts"
import { Directory, type EdgeState } from "../accounts/Directory.ts"
import { EdgeCache } from "./EdgeCache.ts"

/** How long something is kept, in seconds: what was deleted lies on, where nobody finds it, for so long at most. */
const lifetime = 86_400

/** How long a reader waits to learn whether something is remembered; then the object is asked. */
const patience = "2 seconds"

/** Something that was told before, if it is remembered and still holds. */
export interface Recalled {
  readonly found: Response | undefined
  /**
   * Remembers, after the answer has gone out, what the account's object has told since.
   *
   * Only what the object let be shared; it does not hold if the account has been shut meanwhile.
   */
  keep(make: Effect.Effect<Response | undefined>): Effect.Effect<void>
}

/**
 * What accounts' objects have told, remembered at the edge, so that telling it again wakes none.
 *
 * It is remembered with the account's epoch: one row of the directory tells whether it still holds.
 */
export class PublicCache extends Context.Service<
  PublicCache,
  {
    /** Looks for it; whatever the object is asked afterwards is asked after this. */
    recall(did: string, name: string): Effect.Effect<Recalled>
  }
>()("nacre/services/PublicCache") {}

const nothing: Recalled = { found: undefined, keep: () => Effect.void }

/** Remembers nothing: where the platform keeps no cache. */
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

/** Remembers by the cache and the directory. */
export const layer: Layer.Layer<PublicCache, never, Background | Config | Directory | EdgeCache> =
  Layer.effect(
    PublicCache,
    Effect.gen(function* () {
      const { publicUrl } = yield* Config
      return make(yield* Background, yield* EdgeCache, yield* Directory, publicUrl)
    })
  )
