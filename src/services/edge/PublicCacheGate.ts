import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AccountStore } from "../accounts/AccountStore.ts"
import { Directory, DirectoryUnavailable } from "../accounts/Directory.ts"

/** How long a change waits for the directory. */
const patience = "5 seconds"

/**
 * What of this account may be remembered at the edge, seen from its object.
 *
 * Whatever takes back something public (a blob that nothing refers to any more, a takedown, another key) is done
 * while the edge is shut: what was remembered before is past, and what is told meanwhile is not kept.
 */
export class PublicCacheGate extends Context.Service<
  PublicCacheGate,
  {
    /** Whether what is told from now on may be remembered, by whoever has asked for the epoch before. */
    share(): boolean
    /** Makes a change while the edge is shut; where it cannot be shut, nothing is changed. */
    whileShut<A, E, R>(
      change: Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | DirectoryUnavailable, R>
  }
>()("nacre/services/PublicCacheGate") {}

/** The gate of the account in this object. */
export const layer: Layer.Layer<PublicCacheGate, never, AccountStore | Directory> = Layer.effect(
  PublicCacheGate,
  Effect.gen(function* () {
    const accounts = yield* AccountStore
    const directory = yield* Directory
    let changing = 0
    // What another life of this object has shared, nobody knows.
    let isShut = false

    const shut = Effect.gen(function* () {
      const account = accounts.peek()
      if (isShut || account === undefined) return
      yield* directory.shutEdge(account.did).pipe(
        // A commit is not interrupted, but it does not begin while this waits.
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
