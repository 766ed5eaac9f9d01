import { assert, describe, it } from "@effect/vitest"
import { parseAuthorization } from "../../src/core/sessions/authorization.ts"

describe("an Authorization header", () => {
  it("is a scheme in any case, and what stands behind it", () => {
    const cases: ReadonlyArray<readonly [string, string, string]> = [
      ["Bearer abc", "bearer", "abc"],
      ["  DPoP \t abc.def  ", "dpop", "abc.def"],
      ["Basic", "basic", ""],
      ["Basic a b", "basic", "a b"]
    ]
    for (const [header, scheme, value] of cases) {
      assert.deepStrictEqual(parseAuthorization(header), { scheme, value })
    }
    for (const header of [undefined, "", "  "]) assert.isUndefined(parseAuthorization(header))
  })

  it("is read at once, however many spaces stand in it", () => {
    // Nothing is timed: an expression that backtracks would not come back in time.
    const spaces = " ".repeat(400_000)
    assert.deepStrictEqual(parseAuthorization(`DPoP a${spaces}b${spaces}`), {
      scheme: "dpop",
      value: `a${spaces}b`
    })
  })
})
