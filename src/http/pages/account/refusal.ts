import * as Effect from "effect/Effect"
import { type Failure, wireError } from "../../errors.ts"
import type { Wrong } from "../parts.ts"
import { sentenceOf } from "../text/refusals.ts"

/** A form's text for an error that its user can fix; fails with any other. */
export const refusalOf = <F extends Failure>(
  failure: F,
  sentence: string = sentenceOf(failure)
): Effect.Effect<string, F> =>
  wireError(failure).status >= 500 ? Effect.fail(failure) : Effect.succeed(sentence)

/** The same with the field it concerns, unless it is a limit. */
export const wrongOf = <F extends Failure>(
  failure: F,
  field: string | undefined
): Effect.Effect<Wrong, F> =>
  Effect.map(refusalOf(failure), (text) =>
    wireError(failure).status === 429 ? { text } : { text, field }
  )
