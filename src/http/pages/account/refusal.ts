import * as Effect from "effect/Effect"
import { type Failure, wireError } from "../../errors.ts"
import { asSentence, common } from "../text/common.ts"

/** What a form says of a failure; what the person cannot mend stays a failure. */
export const refusalOf = <F extends Failure>(
  failure: F,
  told?: string
): Effect.Effect<string, F> => {
  const { status, message, headers } = wireError(failure)
  if (status >= 500) return Effect.fail(failure)
  return Effect.succeed(
    status === 429
      ? common.tooManyAttempts(Number(headers?.["retry-after"]))
      : asSentence(told ?? message)
  )
}
