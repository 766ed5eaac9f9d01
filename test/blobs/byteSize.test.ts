import { assert, describe, it } from "@effect/vitest"
import { byteSize, parseByteSize, parseQuota } from "../../src/core/blobs/byteSize.ts"

describe("a size in bytes", () => {
  it("a size is a number with a unit, and is written the same way", () => {
    const sizes = { "1 B": 1, "999 B": 999, "1 KB": 1000, "1.5 MB": 1_500_000, "2 TB": 2e12 }
    for (const [text, bytes] of Object.entries(sizes)) {
      assert.strictEqual(parseByteSize(text), bytes)
      assert.strictEqual(byteSize(bytes), text)
    }
    assert.deepStrictEqual(
      ["2GB", "500 mb", "1000", "0.5kb"].map(parseByteSize),
      [2e9, 5e8, 1000, 500]
    )
    assert.strictEqual(byteSize(0), "0 B")
    assert.strictEqual(byteSize(1e15), "1000 TB")
    for (const wrong of ["", "0", "0GB", "-1GB", "much", "5 XB", "1e9", "1GiB", "2000 TB", "GB"]) {
      assert.isUndefined(parseByteSize(wrong), wrong)
    }
  })

  it("a quota is a size, none, or the default", () => {
    assert.deepStrictEqual(["5GB", "none", " None ", "default", ""].map(parseQuota), [
      5e9,
      0,
      0,
      null,
      null
    ])
    assert.isUndefined(parseQuota("0"))
    assert.isUndefined(parseQuota("all"))
  })
})
