import * as Effect from "effect/Effect"
import { type Failure, wireError } from "../../errors.ts"
import type { Wrong } from "../parts.ts"
import { asSentence, common } from "../text/common.ts"

/** A form's text for an error that its user can fix; fails with any other. */
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

/** The same with the field it concerns, unless it is a limit. */
export const wrongOf = <F extends Failure>(
  failure: F,
  field: string | undefined,
  told?: string
): Effect.Effect<Wrong, F> =>
  Effect.map(refusalOf(failure, told), (text) =>
    wireError(failure).status === 429 ? { text } : { text, field }
  )
