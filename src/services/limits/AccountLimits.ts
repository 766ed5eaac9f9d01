import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { RateLimitExceeded } from "./Limiter.ts"
import type { LimitRule } from "./rules.ts"

/**
 * Exact limits of this object's account, which survive its sleep and apply wherever its owner calls
 * from.
 */
export class AccountLimits extends Context.Service<
  AccountLimits,
  {
    /**
     * Takes a point of a rule, or of one `part` of what it counts; nothing if a limit is exceeded
     * or limits are off.
     */
    take(rule: LimitRule, part?: string): Effect.Effect<void, RateLimitExceeded>
  }
>()("nacre/services/AccountLimits") {}
