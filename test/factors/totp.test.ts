import { assert, describe, it } from "@effect/vitest"
import {
  formatRecoveryCode,
  normalizeRecoveryCode,
  recoveryCodeBytes
} from "../../src/core/factors/recoveryCode.ts"
import { formatTotpSecret, totpStep, totpUri } from "../../src/core/factors/totp.ts"
import { totpCode } from "./totpCode.ts"

// RFC 6238, appendix B: the last six of its eight digits.
const rfcSecret = new TextEncoder().encode("12345678901234567890")
const rfcCodes: ReadonlyArray<readonly [seconds: number, code: string]> = [
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_111_111_111, "050471"],
  [1_234_567_890, "005924"],
  [2_000_000_000, "279037"],
  [20_000_000_000, "353130"]
]

describe("authenticator codes", () => {
  it("codes equal those of RFC 6238", () => {
    for (const [seconds, code] of rfcCodes) {
      assert.strictEqual(totpCode(rfcSecret, seconds * 1000), code)
      assert.strictEqual(totpStep(rfcSecret, code, seconds * 1000), Math.floor(seconds / 30))
    }
  })

  it("a code is valid one step before and after its own, and no longer", () => {
    const at = 1_767_225_600_000
    const code = totpCode(rfcSecret, at)
    const own = at / 30_000
    const steps = [-60_000, -30_000, -1, 0, 29_999, 30_000, 59_999, 60_000].map((ahead) =>
      totpStep(rfcSecret, code, at + ahead)
    )
    assert.deepStrictEqual(steps, [undefined, own, own, own, own, own, own, undefined])
  })

  it("a code has exactly six digits", () => {
    const at = 59_000
    for (const wrong of ["", "28708", "2870822", "94287082", "28708a", "２８７０８２", "287083"]) {
      assert.isUndefined(totpStep(rfcSecret, wrong, at), wrong)
    }
  })

  it("a secret is shown in base32 and in a URI that apps read", () => {
    const secret = formatTotpSecret(rfcSecret)
    assert.strictEqual(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    const uri = new URL(totpUri(secret, { issuer: "A & B", account: "alice.test" }))
    assert.strictEqual(
      `${uri.protocol}//${uri.host}${uri.pathname}`,
      "otpauth://totp/A%20%26%20B:alice.test"
    )
    assert.deepStrictEqual(Object.fromEntries(uri.searchParams), {
      issuer: "A & B",
      secret,
      algorithm: "SHA1",
      digits: "6",
      period: "30"
    })
  })
})

describe("recovery codes", () => {
  it("a recovery code has five bits of each random byte, in unambiguous characters", () => {
    const bytes = Uint8Array.from({ length: recoveryCodeBytes }, (_, at) => at * 3 + 224)
    assert.strictEqual(formatRecoveryCode(bytes), "0369c-fjnrv")
    const all = new Set<string>()
    for (let byte = 0; byte < 256; byte++) {
      for (const character of formatRecoveryCode(new Uint8Array(10).fill(byte)).replace("-", "")) {
        all.add(character)
      }
    }
    assert.strictEqual([...all].toSorted().join(""), "0123456789abcdefghjkmnpqrstvwxyz")
  })

  it("normalizeRecoveryCode ignores case, dashes and blanks, and corrects o, i and l", () => {
    for (const typed of ["0369c-fj1rv", "0369CFJ1RV", " O369c fjLrv ", "o-3-6-9-c-f-j-I-r-v"]) {
      assert.strictEqual(normalizeRecoveryCode(typed), "0369cfj1rv", typed)
    }
  })

  it("normalizeRecoveryCode rejects everything else", () => {
    for (const typed of [
      "",
      "0369c-fjnr",
      "0369c-fjnrvv",
      "0369c-fjnru",
      "287082",
      "é".repeat(10)
    ]) {
      assert.isUndefined(normalizeRecoveryCode(typed), typed)
    }
    assert.isUndefined(normalizeRecoveryCode(`${"-".repeat(60)}0369cfj1rv`))
  })
})
