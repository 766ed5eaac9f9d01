import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AccountStore } from "../accounts/AccountStore.ts"
import { Directory, DirectoryUnavailable } from "../accounts/Directory.ts"

/** How long a change waits for the directory. */
const patience = "5 seconds"

/**
 * Controls from the account's object what the edge may cache.
 *
 * Anything that takes back public data (an unreferenced blob, a takedown, a new key) runs while the
 * edge is shut: earlier entries become invalid, and responses in the meantime are not cached.
 */
export class PublicCacheGate extends Context.Service<
  PublicCacheGate,
  {
    /** Whether responses from now on may be cached by a caller that read the epoch before. */
    share(): boolean
    /** Makes a change while the edge is shut; changes nothing if it can't be shut. */
    whileShut<A, E, R>(
      change: Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | DirectoryUnavailable, R>
  }
>()("nacre/services/PublicCacheGate") {}

/** The gate of this object's account. */
export const layer: Layer.Layer<PublicCacheGate, never, AccountStore | Directory> = Layer.effect(
  PublicCacheGate,
  Effect.gen(function* () {
    const accounts = yield* AccountStore
    const directory = yield* Directory
    let changing = 0
    // Unknown, because an earlier life of this object may have shared.
    let isShut = false

    const shut = Effect.gen(function* () {
      const account = accounts.peek()
      if (isShut || account === undefined) return
      yield* directory.shutEdge(account.did).pipe(
        // A commit isn't interrupted, but it doesn't start while this waits.
        Effect.interruptible,
        Effect.timeoutOrElse({
          duration: patience,
          orElse: () =>
            Effect.fail(new DirectoryUnavailable({ operation: "shutEdge", cause: "too slow" }))
        })
      )
      isShut = true
    })

    return PublicCacheGate.of({
      share: () => {
        if (changing > 0) return false
        isShut = false
        return true
      },
      whileShut: (change) =>
        Effect.suspend(() => {
          changing += 1
          return Effect.ensuring(
            Effect.andThen(shut, change),
            Effect.sync(() => {
              changing -= 1
            })
          )
        })
    })
  })
)
