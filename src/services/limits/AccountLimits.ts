import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { RateLimit, RateLimitExceeded } from "./Limiter.ts"

/** Exact limits of the account in this object: they outlive its sleep, wherever its owner calls from. */
export class AccountLimits extends Context.Service<
  AccountLimits,
  {
    /** Takes a point of what `key` may do; nothing is taken where a limit refuses, or limits are off. */
    take(key: string, limits: ReadonlyArray<RateLimit>): Effect.Effect<void, RateLimitExceeded>
  }
>()("nacre/services/AccountLimits") {}
