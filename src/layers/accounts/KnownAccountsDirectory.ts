import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Directory } from "../../services/accounts/Directory.ts"
import { KnownAccounts } from "../../services/accounts/KnownAccounts.ts"
import { StaleCache } from "../host/StaleCache.ts"

const minute = 60_000

/** A DID has up to 2,048 characters, and strangers choose the missing ones. */
const bounds = { entries: 10_000, weigh: () => 0, weight: 1_000_000 }

const never = { stale: Infinity, expired: Infinity, retry: Infinity }
const aMinute = { stale: minute, expired: minute, retry: minute }

const make = (directory: Directory["Service"]): KnownAccounts["Service"] => {
  // A deleted account stays in this memory: its object reports that it is gone.
  const here = new StaleCache<true>(never, bounds)
  const missing = new StaleCache<true>(aMinute, bounds)

  const ask = Effect.fnUntraced(function* (did: string, now: number) {
    const begun = missing.begin()
    const entry = yield* directory.byDid(did)
    if (entry === undefined) missing.set(did, true, now, begun)
    else here.set(did, true, now, here.begin())
    return { isHere: entry !== undefined, wasAsked: true }
  })

  return KnownAccounts.of({
    remembers: (did) => here.get(did, 0) !== undefined,
    look: Effect.fnUntraced(function* (did, options) {
      const now = yield* Clock.currentTimeMillis
      if (here.get(did, now) !== undefined) return { isHere: true, wasAsked: false }
      if (options?.fresh !== true && missing.get(did, now) !== undefined) {
        return { isHere: false, wasAsked: false }
      }
      return yield* ask(did, now).pipe(
        Effect.catch((failure) =>
          Effect.as(Effect.logDebug("directory not asked for an account", failure), {
            isHere: true,
            wasAsked: true
          })
        )
      )
    }),
    forget: (did) => Effect.sync(() => missing.forget(did))
  })
}

/** Looks accounts up in the directory and caches them in the isolate. */
export const layer: Layer.Layer<KnownAccounts, never, Directory> = Layer.effect(
  KnownAccounts,
  Effect.map(Directory, make)
)
