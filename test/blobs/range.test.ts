import { assert, describe, it } from "@effect/vitest"
import { contentRange, notModified, rangeCounts } from "../../src/core/blobs/headers.ts"
import { parseRange, type RequestedRange } from "../../src/core/blobs/range.ts"

const part = (offset: number, length: number): RequestedRange => ({ kind: "part", offset, length })
const whole: RequestedRange = { kind: "whole" }
const unsatisfiable: RequestedRange = { kind: "unsatisfiable" }

const table: ReadonlyArray<readonly [string | null, RequestedRange]> = [
  [null, whole],
  ["bytes=0-0", part(0, 1)],
  ["bytes=0-99", part(0, 100)],
  ["bytes=10-19", part(10, 10)],
  ["bytes=10-", part(10, 90)],
  ["bytes=99-", part(99, 1)],
  ["bytes=50-1000", part(50, 50)],
  ["bytes=-1", part(99, 1)],
  ["bytes=-100", part(0, 100)],
  ["bytes=-1000", part(0, 100)],
  ["BYTES = 1 - 2 ", part(1, 2)],
  ["bytes=0-99999999999999999999", part(0, 100)],
  ["bytes=100-", unsatisfiable],
  ["bytes=100-200", unsatisfiable],
  ["bytes=99999999999999999999-", unsatisfiable],
  ["bytes=-0", unsatisfiable],
  ["bytes=5-4", whole],
  ["bytes=0-1,3-4", whole],
  ["bytes=-", whole],
  ["bytes=a-b", whole],
  ["items=0-1", whole],
  ["", whole]
]

describe("parseRange", () => {
  for (const [header, expected] of table) {
    it(`parseRange reads ${header === null ? "no header" : `"${header}"`} of 100 bytes as ${JSON.stringify(expected)}`, () => {
      assert.deepStrictEqual(parseRange(header, 100), expected)
    })
  }
})

describe("conditional requests", () => {
  it("notModified finds its tag in If-None-Match, strong or weak, alone or among others", () => {
    const mine = '"bafk"'
    for (const header of ['"bafk"', 'W/"bafk"', '"x", "bafk"', "*"])
      assert.isTrue(notModified(header, mine))
    for (const header of [null, '"x"', "bafk", ""]) assert.isFalse(notModified(header, mine))
  })

  it("rangeCounts honours a range only under its own strong tag", () => {
    assert.isTrue(rangeCounts(null, '"bafk"'))
    assert.isTrue(rangeCounts('"bafk"', '"bafk"'))
    for (const header of ['W/"bafk"', '"x"', "Wed, 21 Oct 2015 07:28:00 GMT"]) {
      assert.isFalse(rangeCounts(header, '"bafk"'))
    }
  })

  it("contentRange describes a part and an unsatisfiable range", () => {
    assert.strictEqual(contentRange(100, { offset: 10, length: 5 }), "bytes 10-14/100")
    assert.strictEqual(contentRange(100), "bytes */100")
  })
})
