import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Background } from "./Background.ts"
import { Config } from "./Config.ts"
import { Directory } from "./Directory.ts"
import { EdgeCache } from "./EdgeCache.ts"

/** How long something is kept, in seconds: what was deleted lies on, where nobody finds it, for so long at most. */
export const lifetime = 86_400

/** What is remembered of one account, as things stood when it was asked for. */
export interface Remembered {
  find(name: string): Effect.Effect<Response | undefined>
  /**
   * Remembers, after the answer has gone out, what the account's object has told since.
   *
   * Only what the object let be shared; it is not kept if the account has been shut meanwhile.
   */
  keep(name: string, make: Effect.Effect<Response | undefined>): Effect.Effect<void>
}

/**
 * What accounts' objects have told, remembered at the edge, so that telling it again wakes none.
 *
 * The directory's epoch is part of every key: one row read tells whether what is remembered still holds.
 */
export class EdgeMemory extends Context.Service<
  EdgeMemory,
  {
    of(did: string): Effect.Effect<Remembered>
  }
>()("nacre/services/EdgeMemory") {}

const nothing: Remembered = {
  find: () => Effect.undefined,
  keep: () => Effect.void
}

/** Remembers nothing: where the platform keeps no cache. */
export const layerNone: Layer.Layer<EdgeMemory> = Layer.succeed(
  EdgeMemory,
  EdgeMemory.of({ of: () => Effect.succeed(nothing) })
)

/** Remembers by the cache and the directory. */
export const layer: Layer.Layer<EdgeMemory, never, Background | Config | Directory | EdgeCache> =
  Layer.effect(
    EdgeMemory,
    Effect.gen(function* () {
      const background = yield* Background
      const cache = yield* EdgeCache
      const directory = yield* Directory
      const { publicUrl } = yield* Config

      const of = Effect.fn("EdgeMemory.of")(function* (did: string) {
        const state = yield* directory.edgeOf(did)
        const key = (epoch: number, name: string) =>
          `${publicUrl}/.edge/${encodeURIComponent(did)}/${epoch}/${name}`
        const keep = Effect.fnUntraced(function* (
          name: string,
          make: Effect.Effect<Response | undefined>
        ) {
          const epoch =
            state?.isOpen === true ? state.epoch : yield* directory.openEdge(did, state?.epoch)
          const made = epoch === undefined ? undefined : yield* make
          if (epoch !== undefined && made !== undefined) yield* cache.put(key(epoch, name), made)
        })
        const remembered: Remembered = {
          find: (name) =>
            state?.isOpen === true ? cache.match(key(state.epoch, name)) : Effect.undefined,
          keep: (name, make) =>
            background.run(
              Effect.catch(keep(name, make), (failure) => Effect.logDebug("not kept", failure))
            )
        }
        return remembered
      })

      return EdgeMemory.of({
        of: (did) =>
          Effect.catch(of(did), (failure) =>
            Effect.as(Effect.logWarning("the edge remembers nothing", failure), nothing)
          )
      })
    })
  )
