import { assert, describe, it } from "@effect/vitest"
import * as Did from "../../src/core/identity/did.ts"

const plc = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"

describe("DIDs", () => {
  it("didMethod distinguishes the two supported methods", () => {
    assert.strictEqual(Did.didMethod(plc), "plc")
    assert.strictEqual(Did.didMethod("did:web:example.com"), "web")
    assert.strictEqual(Did.didMethod("did:web:localhost%3A2583"), "web")
  })

  it("isSupportedDid rejects malformed DIDs and other methods", () => {
    for (const did of [
      "",
      "did:plc:",
      "did:plc:EWVI7NXZYOUN6ZHXRHS64OIZ",
      "did:plc:ewvi7nxzyoun6zhxrhs64oi",
      "did:plc:ewvi7nxzyoun6zhxrhs64oizz",
      "did:plc:0189aaaaaaaaaaaaaaaaaaaa",
      "did:web:",
      "did:web:example",
      "did:web:Example.com",
      "did:web:example.com:user:alice",
      "did:web:example.com%3A8080",
      "did:web:example.com/path",
      "did:web:127.0.0.1",
      "did:web:localhost%3A0",
      "did:web:localhost%3A99999",
      "did:web:localhost%3A80%2Fx",
      "did:web:a..com",
      "did:web:-a.com",
      "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
      `${plc}\n`
    ]) {
      assert.isFalse(Did.isSupportedDid(did), did)
    }
  })

  it("didWebUrl is the host's well-known file, over http only for localhost", () => {
    assert.strictEqual(
      Did.didWebUrl("did:web:example.com"),
      "https://example.com/.well-known/did.json"
    )
    assert.strictEqual(
      Did.didWebUrl("did:web:localhost%3A2583"),
      "http://localhost:2583/.well-known/did.json"
    )
    assert.isUndefined(Did.didWebUrl("did:web:example.com:alice"))
    assert.isUndefined(Did.didWebUrl(plc))
  })

  it("didWebOf encodes a host's port as the syntax requires", () => {
    assert.strictEqual(Did.didWebOf("localhost:2583"), "did:web:localhost%3A2583")
    assert.strictEqual(Did.didWebHost(Did.didWebOf("localhost:2583")), "localhost:2583")
  })

  it("parseDidReference returns a DID and its service", () => {
    assert.deepStrictEqual(Did.parseDidReference(plc), { did: plc })
    assert.deepStrictEqual(Did.parseDidReference(`${plc}#bsky_fg`), {
      did: plc,
      fragment: "bsky_fg"
    })
    for (const bad of ["alice.test", `${plc}#`, `${plc}#a#b`, `${plc}#a b`, "#x", ""]) {
      assert.isUndefined(Did.parseDidReference(bad), bad)
    }
  })
})
