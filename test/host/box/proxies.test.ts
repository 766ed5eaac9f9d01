import { assert, describe, it } from "@effect/vitest"
import { clientOf, noProxies, readProxies } from "../../../src/layers/host/proxies.ts"

describe("the client's address behind proxies", () => {
  const proxies = readProxies("loopback, 10.0.0.0/8, 2001:db8::/32")

  it("a header counts only from a trusted proxy", () => {
    assert.strictEqual(clientOf(noProxies, "127.0.0.1", "203.0.113.9"), "127.0.0.1")
    assert.strictEqual(clientOf(proxies, "198.51.100.7", "203.0.113.9"), "198.51.100.7")
    assert.strictEqual(clientOf(proxies, "127.0.0.1", "203.0.113.9"), "203.0.113.9")
    assert.strictEqual(clientOf(proxies, "2001:db8::2", "203.0.113.9"), "203.0.113.9")
  })

  it("the last address that isn't a proxy's is the client's, whatever the client wrote before", () => {
    const forwarded = "192.0.2.66, 203.0.113.9, 10.1.2.3"
    assert.strictEqual(clientOf(proxies, "10.0.0.1", forwarded), "203.0.113.9")
  })

  it("an address of a dual-stack socket is the IPv4 address in it", () => {
    assert.strictEqual(clientOf(proxies, "::ffff:127.0.0.1", "::ffff:203.0.113.9"), "203.0.113.9")
  })

  it("text that is no address ends the search", () => {
    assert.strictEqual(clientOf(proxies, "127.0.0.1", "203.0.113.9, unknown"), "127.0.0.1")
    assert.strictEqual(clientOf(proxies, "127.0.0.1", undefined), "127.0.0.1")
  })

  it("an entry that is no network is refused by name", () => {
    for (const entry of ["proxy.example", "10.0.0.0/33", "10.0.0.0/x", "::1/129"]) {
      assert.throws(() => readProxies(`loopback, ${entry}`), entry)
    }
  })
})
