import { assert, describe, it } from "@effect/vitest"
import { ReplaySet } from "../../../src/core/oauth/ReplaySet.ts"

describe("ReplaySet", () => {
  it("use accepts each key once until it expires, including the last moment", () => {
    const set = new ReplaySet(10)
    assert.isTrue(set.use("a", 60, 0))
    assert.isFalse(set.use("a", 60, 0))
    assert.isFalse(set.use("a", 90, 60))
    assert.isTrue(set.use("b", 60, 0))
    assert.isTrue(set.use("a", 120, 61))
    assert.isFalse(set.use("a", 120, 61))
  })

  it("a full set drops expired keys before valid ones, and never exceeds its capacity", () => {
    const set = new ReplaySet(10)
    set.use("valid", 1000, 0)
    for (let at = 0; at < 9; at += 1) set.use(`old ${at}`, 10, 0)
    set.use("new", 1000, 11)
    assert.strictEqual(set.size, 2)
    assert.isFalse(set.use("valid", 1000, 11))
    for (let at = 0; at < 100; at += 1) {
      assert.isTrue(set.use(`more ${at}`, 1000, 11))
      assert.isAtMost(set.size, 10)
      assert.isFalse(set.use(`more ${at}`, 1000, 11))
    }
  })
})
