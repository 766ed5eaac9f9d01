import * as Effect from "effect/Effect"
import type { Rejected } from "../../../services/accounts/Accounts.ts"
import { asSentence, common } from "../text/common.ts"
/** What a form says when the account's object refused; what is no refusal stays a failure. */
export const refusalOf = (
  rejected: Rejected,
  message = rejected.message
): Effect.Effect<string, Rejected> => {
  if (rejected.status >= 500) return Effect.fail(rejected)
  if (rejected.error !== "RateLimitExceeded") return Effect.succeed(asSentence(message))
  const seconds = Number(rejected.headers?.["retry-after"]) || 900
  return Effect.succeed(common.tooManyAttempts(seconds))
}
