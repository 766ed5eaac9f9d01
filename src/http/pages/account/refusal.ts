import * as Effect from "effect/Effect"
import type { Rejected } from "../../../services/accounts/Accounts.ts"
import { inWords } from "../failurePage.ts"

/** A message of the protocol as a sentence. */
const sentence = (message: string): string => (/[.!?]$/.test(message) ? message : `${message}.`)

/** What a form says when the account's object refused; what is no refusal stays a failure. */
export const refusalOf = (
  rejected: Rejected,
  message = rejected.message
): Effect.Effect<string, Rejected> => {
  if (rejected.status >= 500) return Effect.fail(rejected)
  if (rejected.error !== "RateLimitExceeded") return Effect.succeed(sentence(message))
  const seconds = Number(rejected.headers?.["retry-after"]) || 900
  return Effect.succeed(`Too many attempts. Please wait ${inWords(seconds)} and try again.`)
}
