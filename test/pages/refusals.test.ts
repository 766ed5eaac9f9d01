import { assert, describe, it } from "@effect/vitest"
import { type Failure, wire } from "../../src/http/errors.ts"
import { sentenceOf } from "../../src/http/pages/text/refusals.ts"

/** The reasons that a failure can have, or a made-up one. */
const reasonsOf = (failure: object): ReadonlyArray<string> => {
  const { fields = {} } = failure as { readonly fields?: Record<string, unknown> }
  const { literals } = (fields["reason"] ?? {}) as { readonly literals?: ReadonlyArray<string> }
  return literals ?? ["a reason"]
}

describe("what pages say about failures", () => {
  it("every failure has a whole sentence, and none is the protocol's message", () => {
    const message = "words of the protocol"
    for (const { failure } of wire) {
      for (const reason of reasonsOf(failure)) {
        const sentence = sentenceOf({
          _tag: failure.identifier,
          message,
          reason
        } as unknown as Failure)
        assert.match(sentence, /^[A-Z].*[.!?]$/, `${failure.identifier}: ${reason}`)
        assert.notInclude(sentence, message, failure.identifier)
      }
    }
  })
})
