import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { isChallenge, verifies } from "../../../src/core/oauth/pkce.ts"

const challengeOf = (verifier: string) => createHash("sha256").update(verifier).digest("base64url")

describe("PKCE", () => {
  it("verifies accepts the verifier of RFC 7636, appendix B, for its challenge", () => {
    const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert.isTrue(isChallenge(challenge))
    assert.isTrue(verifies(verifier, challenge))
  })

  it("verifies rejects any other verifier, and the challenge itself", () => {
    const verifier = "a".repeat(43)
    const challenge = challengeOf(verifier)
    assert.isFalse(verifies(`b${verifier.slice(1)}`, challenge))
    assert.isFalse(verifies(challenge, challenge))
    assert.isFalse(verifies(verifier, verifier))
    assert.isFalse(verifies(verifier, ""))
  })

  it("verifies accepts only verifiers of 43 to 128 unreserved characters", () => {
    for (const [verifier, taken] of [
      ["a".repeat(42), false],
      ["a".repeat(43), true],
      ["a".repeat(128), true],
      ["a".repeat(129), false],
      [`${"a".repeat(42)}~`, true],
      [`${"a".repeat(42)}.`, true],
      [`${"a".repeat(42)}+`, false],
      [`${"a".repeat(42)}=`, false],
      [`${"a".repeat(43)}\n`, false]
    ] as const) {
      assert.strictEqual(verifies(verifier, challengeOf(verifier)), taken, verifier)
    }
  })

  it("isChallenge accepts only 43 characters of base64url", () => {
    for (const [text, taken] of [
      ["a".repeat(43), true],
      [`${"_-".repeat(21)}A`, true],
      ["a".repeat(42), false],
      ["a".repeat(44), false],
      [`${"a".repeat(42)}=`, false],
      [`${"a".repeat(42)}+`, false],
      [`${"a".repeat(43)}\n`, false],
      ["", false]
    ] as const) {
      assert.strictEqual(isChallenge(text), taken, text)
    }
  })
})
