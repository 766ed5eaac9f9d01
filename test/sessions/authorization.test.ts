import { assert, describe, it } from "@effect/vitest"
import { parseAuthorization } from "../../src/core/sessions/authorization.ts"

describe("the Authorization header", () => {
  it("parseAuthorization returns a scheme in any case and the rest", () => {
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

  it("parseAuthorization takes linear time, however many spaces there are", () => {
    // Nothing is timed: an expression that backtracks would not finish.
    const spaces = " ".repeat(400_000)
    assert.deepStrictEqual(parseAuthorization(`DPoP a${spaces}b${spaces}`), {
      scheme: "dpop",
      value: `a${spaces}b`
    })
  })
})
