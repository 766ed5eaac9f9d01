import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { RateLimitExceeded } from "./Limiter.ts"
import type { LimitRule } from "./rules.ts"

/** Exact limits of the account in this object: they outlive its sleep, wherever its owner calls from. */
export class AccountLimits extends Context.Service<
  AccountLimits,
  {
    /** Takes a point of a rule, or of one `part` of what it counts; none where a limit refuses, or limits are off. */
    take(rule: LimitRule, part?: string): Effect.Effect<void, RateLimitExceeded>
  }
>()("nacre/services/AccountLimits") {}
