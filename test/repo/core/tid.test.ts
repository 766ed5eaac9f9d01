import { assert, describe, it } from "@effect/vitest"
import { isTid, nextTid, tidFromMicros, tidToMicros } from "../../../src/core/repo/tid.ts"
import * as Support from "./support.ts"

describe("a TID", () => {
  it("a TID holds its time to the microsecond", () => {
    for (const micros of [0, 1, 1_700_000_000_123_456, Number.MAX_SAFE_INTEGER]) {
      const tid = tidFromMicros(micros, 1023)
      assert.isTrue(isTid(tid))
      assert.strictEqual(tidToMicros(tid), micros)
    }
    assert.strictEqual(tidFromMicros(0, 0), "2222222222222")
    assert.strictEqual(tidFromMicros(0, 33), "2222222222233")
  })

  it("nextTid returns a greater TID even if the clock steps back", () => {
    Support.forSeeds(300, (chance) => {
      let now = 1_700_000_000_000_000
      let previous: string | undefined
      for (let i = 0; i < 50; i++) {
        now += chance.pick([0, 0, 1, 1000, -1, -1_000_000, -100_000_000_000])
        const tid = nextTid(previous, now, chance.below(1024))
        assert.isTrue(isTid(tid))
        if (previous !== undefined) assert.isTrue(tid > previous, `${tid} after ${previous}`)
        previous = tid
      }
    })
  })

  it("nextTid follows the clock when it has advanced", () => {
    const previous = tidFromMicros(1_700_000_000_000_000, 7)
    assert.strictEqual(
      tidToMicros(nextTid(previous, 1_700_000_000_000_500, 3)),
      1_700_000_000_000_500
    )
  })

  it("tidFromMicros rejects values that don't fit", () => {
    assert.throws(() => tidFromMicros(-1, 0), RangeError)
    assert.throws(() => tidFromMicros(2 ** 53, 0), RangeError)
    assert.throws(() => tidFromMicros(0.5, 0), RangeError)
    assert.throws(() => tidFromMicros(0, 1024), RangeError)
    assert.throws(() => nextTid("jzzzzzzzzzzzz", 0, 0), RangeError)
    assert.throws(() => tidToMicros("not a tid"), RangeError)
  })
})
