import { assert, describe, it } from "@effect/vitest"
import { type Failure, wire } from "../../src/http/errors.ts"
import { sentenceOf } from "../../src/http/pages/text/refusals.ts"

describe("what pages say about failures", () => {
  it("every failure has a whole sentence, and none is the protocol's message", () => {
    const message = "words of the protocol"
    for (const { failure } of wire) {
      const sentence = sentenceOf({
        _tag: failure.identifier,
        message,
        reason: "last admin"
      } as unknown as Failure)
      assert.match(sentence, /^[A-Z].*[.!?]$/, failure.identifier)
      assert.notInclude(sentence, message, failure.identifier)
    }
  })
})
