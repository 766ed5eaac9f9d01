import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { encode } from "uqr"
import { qrScript } from "../../src/http/pages/account/settings/recoveryKeyScript.ts"

const draw: (text: string) => Array<Array<boolean>> = runInNewContext(`${qrScript}\nqr`, {
  TextEncoder
})

describe("the QR code that a browser draws", () => {
  it("the QR code of a private key is the same as the library's, at every length", () => {
    const texts = [
      "",
      "a",
      `nacre-recovery-key:p256:${"0123456789abcdef".repeat(4)}`,
      `nacre-recovery-key:p256:${"f".repeat(64)}`,
      "x".repeat(106)
    ]
    for (const text of texts) {
      const { data } = encode([...new TextEncoder().encode(text)], {
        ecc: "L",
        minVersion: 5,
        maxVersion: 5,
        maskPattern: 0,
        boostEcc: false,
        border: 0
      })
      const drawn = draw(text).map((row) => [...row])
      assert.deepStrictEqual(drawn, data, text)
    }
  })
})
