import * as Effect from "effect/Effect"

/** The answer to a HEAD: nobody reads its body, so what that holds open (an export's snapshot) is closed. */
export const withoutBody = Effect.fnUntraced(function* (answer: Response) {
  const { body } = answer
  if (body === null) return answer
  yield* Effect.promise(() => body.cancel())
  return new Response(null, answer)
})
