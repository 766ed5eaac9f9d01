import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { graphemesUpTo, utf8Length } from "../../src/core/lexicon/text.ts"

const family = "👩‍👩‍👦‍👦"

describe("text lengths", () => {
  it.prop("utf8Length equals the encoder's result", [Schema.String], ([text]) => {
    const all = `${text}é${family}\ud800${text}\udc00`
    assert.strictEqual(utf8Length(all), new TextEncoder().encode(all).length)
  })

  it("graphemesUpTo counts visible characters", () => {
    assert.strictEqual(graphemesUpTo("plain", 300), 5)
    assert.strictEqual(graphemesUpTo("a\r\nb", 300), 3)
    assert.strictEqual(graphemesUpTo(family.repeat(7), 300), 7)
    assert.strictEqual(graphemesUpTo("e\u0301", 300), 1)
    assert.strictEqual(graphemesUpTo("\u{1f1e9}\u{1f1ea}".repeat(3), 300), 3)
  })

  it("graphemesUpTo stops counting one beyond the limit", () => {
    assert.strictEqual(graphemesUpTo("é".repeat(1000), 10), 11)
  })
})
