import { assert, describe, it } from "@effect/vitest"
import { sortKeys } from "../../../src/core/identity/movedData.ts"

const bluesky = [
  "did:key:zQ3shhCGUqDKjStzuDxPkTxN6ujddP4RkEKJJouJGRRkaLGbg",
  "did:key:zQ3shpKnbdPx3g3CmPf5cRVTPe1HtSwVn5ish3wSnDPQCbLJK"
]
const asItIs = { keep: [], drop: [] }
const times = (count: number, keys: ReadonlyArray<string>) =>
  Array.from({ length: count }, () => keys)

describe("the rotation keys of somebody who moves", () => {
  it("all rotation keys but the last one that the server recommends are the owner's", () => {
    const keys = ["mine", "older", "host", "below"]
    for (const named of [["host"], ["mine", "older", "host"]]) {
      assert.deepStrictEqual(sortKeys({ keys, named, others: [] }, asItIs), {
        own: ["mine", "older", "below"],
        theirs: ["host"]
      })
    }
  })

  it("keys that most accounts of a server share are the server's, if it has enough accounts", () => {
    const keys = ["mine", "the server's recovery", "host"]
    const named = ["the server's recovery", "host"]
    const shared = ["the server's recovery", "host"]
    const own = (others: ReadonlyArray<ReadonlyArray<string>>) =>
      sortKeys({ keys, named, others }, asItIs).own
    assert.deepStrictEqual(own(times(3, shared)), ["mine"])
    assert.deepStrictEqual(own([...times(3, shared), ...times(2, ["host"])]), ["mine"])
    assert.deepStrictEqual(own(times(2, shared)), keys.slice(0, 2))
    assert.deepStrictEqual(own([...times(2, shared), ...times(2, ["host"])]), keys.slice(0, 2))
  })

  it("known keys of Bluesky are Bluesky's, even if its server doesn't recommend them", () => {
    for (const named of [bluesky.slice(1), bluesky, []]) {
      const keys = ["mine", ...bluesky]
      assert.deepStrictEqual(sortKeys({ keys, named, others: [] }, asItIs).own, ["mine"])
      assert.deepStrictEqual(sortKeys({ keys: bluesky, named, others: [] }, asItIs).own, [])
    }
  })

  it("--keep-key and --drop-key decide over any guess", () => {
    const keys = ["mine", "family", "host"]
    const sorted = sortKeys(
      { keys, named: ["host"], others: times(5, ["family", "host"]) },
      { keep: ["family"], drop: ["mine"] }
    )
    assert.deepStrictEqual(sorted, { own: ["family"], theirs: ["mine", "host"] })
  })
})
