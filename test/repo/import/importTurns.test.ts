import { assert, describe, it } from "@effect/vitest"
import { ImportTurns } from "../../../src/layers/repo/importTurns.ts"

describe("the imports of an isolate", () => {
  it("an isolate runs one import at a time, and the next starts when it ends", () => {
    const turns = new ImportTurns()
    const first = turns.begin("did:web:a", 0)
    assert.isDefined(first)
    assert.isFalse(turns.isFree("did:web:b", 1))
    assert.isUndefined(turns.begin("did:web:b", 1))
    turns.end(first!)
    assert.isTrue(turns.isFree("did:web:b", 2))
    assert.isDefined(turns.begin("did:web:b", 2))
  })

  it("an account's own later import takes over", () => {
    const turns = new ImportTurns()
    const first = turns.begin("did:web:a", 0)
    const second = turns.begin("did:web:a", 1)
    assert.isDefined(second)
    turns.end(first!)
    assert.isFalse(turns.isFree("did:web:b", 2))
    turns.end(second!)
    assert.isTrue(turns.isFree("did:web:b", 3))
  })

  it("an import without a turn for two minutes is considered dead", () => {
    const turns = new ImportTurns()
    const first = turns.begin("did:web:a", 0)
    first!.touched = 60_000
    assert.isFalse(turns.isFree("did:web:b", 180_000))
    assert.isTrue(turns.isFree("did:web:b", 180_001))
  })
})
