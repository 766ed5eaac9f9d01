import { assert, describe, it } from "@effect/vitest"
import { claimedHandle, withHandle } from "../../src/core/identity/alsoKnownAs.ts"

describe("the alsoKnownAs names of a DID", () => {
  it("claimedHandle returns the first valid at:// name in lower case", () => {
    for (const [names, claimed] of [
      [[], undefined],
      [["https://a.test", "dns:a.test", "a.test"], undefined],
      [["at://", "at://did:web:a.test", "at://a.test/", "at://B.Test"], "b.test"],
      [["at://a.test", "at://b.test"], "a.test"]
    ] as const) {
      assert.strictEqual(claimedHandle(names), claimed, names.join(" "))
    }
  })

  it("withHandle keeps the position of every name", () => {
    for (const [before, after] of [
      [[], ["at://new.test"]],
      [["https://a.test"], ["at://new.test", "https://a.test"]],
      [["at://old.test"], ["at://new.test"]],
      [
        ["https://a.test", "at://x y", "at://old.test", "at://other.test"],
        ["https://a.test", "at://x y", "at://new.test", "at://other.test"]
      ],
      [
        ["at://old.test", "https://a.test", "at://NEW.test"],
        ["at://new.test", "https://a.test"]
      ]
    ] as const) {
      assert.deepStrictEqual(withHandle(before, "new.test"), after, before.join(" "))
    }
  })

  it("withHandle returns undefined if the names claim the handle already", () => {
    assert.isUndefined(withHandle(["https://a.test", "at://New.test", "at://b.test"], "new.test"))
  })
})
