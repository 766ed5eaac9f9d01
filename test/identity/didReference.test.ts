import * as Official from "@atproto/oauth-scopes"
import { assert, describe, it } from "@effect/vitest"
import { isAtprotoDidRefAbsolute } from "../../src/core/identity/didReference.ts"

const plc = "did:plc:abcdefghijklmnopqrstuvwx"

describe("a reference to a service of a DID", () => {
  it("isAtprotoDidRefAbsolute agrees with the package that it replaces in the bundle", () => {
    const table = [
      [`${plc}#service`, true],
      ["did:web:example.com#service", true],
      ["did:web:sub.example.com#bsky_appview", true],
      ["did:web:localhost%3A2583#service", true],
      [`${plc}#a.b-c~d_e`, true],
      [`${plc}#a%20b`, true],
      [`${plc}#a/b?c`, true],
      [plc, false],
      [`${plc}#`, false],
      [`${plc}#a#b`, false],
      [`${plc}#a b`, false],
      [`${plc}#a%2`, false],
      [`${plc}#a%zz`, false],
      [`${plc}#ä`, false],
      [`${plc}x#service`, false],
      ["did:plc:short#service", false],
      ["did:plc:ABCDEFGHIJKLMNOPQRSTUVWX#service", false],
      ["did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme#service", false],
      ["did:web:example.com:path#service", false],
      ["did:web:example.com%3A8080#service", false],
      ["did:web:#service", false],
      ["did:web#service", false],
      ["#service", false],
      ["*", false],
      ["", false],
      [7, false],
      [undefined, false]
    ] as const
    for (const [value, expected] of table) {
      assert.strictEqual(isAtprotoDidRefAbsolute(value), expected, String(value))
      assert.strictEqual(Official.isAtprotoDidRefAbsolute(value), expected, String(value))
    }
  })
})
