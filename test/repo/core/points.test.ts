import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { nothingSpent, pointsOf, spend } from "../../../src/services/repo/write/points.ts"
import type { Write } from "../../../src/services/repo/Repo.ts"

const write = (action: Write["action"]): Write => {
  const at = { collection: "com.example.note", rkey: "one" }
  // SAFETY: points depend on the action alone.
  return { ...at, action, record: {} } as unknown as Write
}

describe("the points of a commit", () => {
  it("a create costs three points, an update two and a delete one, at any usual size", () => {
    const costs = (["create", "update", "delete"] as const).map((one) =>
      pointsOf([write(one)], 9000)
    )
    assert.deepStrictEqual(costs, [3, 2, 1])
    const many = Array.from({ length: 200 }, () => write("create"))
    assert.strictEqual(pointsOf(many, 400_000), 600)
  })

  it("a large commit costs points for its bytes", () => {
    assert.strictEqual(pointsOf([write("update")], 980_000), 119)
  })

  it("one account can add at most 300 MB a day to the event log, however large its records", () => {
    let spent = nothingSpent
    let bytes = 0
    for (let now = 1; now < 86_400_000; now += 60_000) {
      for (;;) {
        const next = spend(spent, pointsOf([write("update")], 980_000), now)
        if (Result.isFailure(next)) break
        spent = next.success
        bytes += 980_000
      }
    }
    assert.isAbove(bytes, 200_000_000)
    assert.isBelow(bytes, 300_000_000)
  })
})
