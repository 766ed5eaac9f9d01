import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { checkHandle, serviceDomainOf } from "../../src/core/identity/handle.ts"

const rules = { serviceDomains: ["pds.example.com", "example.com"] }

const errorOf = (handle: string, extra: object = {}) => {
  const checked = checkHandle(handle, { ...rules, ...extra })
  return Result.isSuccess(checked) ? "ok" : checked.failure.error
}

describe("handles", () => {
  it("checkHandle returns lower case without the @ that people type", () => {
    assert.deepStrictEqual(
      checkHandle(" @Alice.PDS.Example.com ", rules),
      Result.succeed({ handle: "alice.pds.example.com", hosted: true })
    )
  })

  it("checkHandle accepts other domains, which must resolve", () => {
    for (const handle of ["alice.com", "xn--bcher-kva.com", "a--b.co.uk", "www.alice.com"]) {
      assert.deepStrictEqual(checkHandle(handle, rules), Result.succeed({ handle, hosted: false }))
    }
  })

  it("checkHandle requires the apex of a service domain to resolve", () => {
    assert.deepStrictEqual(
      checkHandle("pds.example.org", { serviceDomains: ["pds.example.org"] }),
      Result.succeed({ handle: "pds.example.org", hosted: false })
    )
  })

  it("checkHandle rejects malformed handles", () => {
    for (const handle of [
      "",
      "alice",
      "alice..com",
      "-a.com",
      "a_b.com",
      "alice.123",
      "al ice.com"
    ]) {
      assert.strictEqual(errorOf(handle), "InvalidHandle", handle)
    }
  })

  it("checkHandle rejects domains that are never public", () => {
    for (const top of "alt arpa example internal invalid local localhost onion test".split(" ")) {
      assert.strictEqual(errorOf(`alice.${top}`), "InvalidHandle", top)
    }
    assert.strictEqual(errorOf("alice.test", { allowTest: true }), "ok")
    assert.strictEqual(errorOf("alice.local", { allowTest: true }), "InvalidHandle")
  })

  it("checkHandle accepts one label of 3 to 18 characters on a service domain", () => {
    assert.strictEqual(errorOf("al.pds.example.com"), "InvalidHandle")
    assert.strictEqual(errorOf("ali.pds.example.com"), "ok")
    assert.strictEqual(errorOf(`${"a".repeat(18)}.pds.example.com`), "ok")
    assert.strictEqual(errorOf(`${"a".repeat(19)}.pds.example.com`), "InvalidHandle")
    assert.strictEqual(errorOf("a.alice.pds.example.com"), "InvalidHandle")
    assert.strictEqual(errorOf("xn--bcher-kva.pds.example.com"), "ok")
  })

  it("checkHandle reserves names that could be mistaken for the host, only on its domains", () => {
    for (const label of ["admin", "www", "support", "about", "atproto", "no-reply"]) {
      assert.strictEqual(errorOf(`${label}.pds.example.com`), "HandleNotAvailable", label)
      assert.strictEqual(errorOf(`${label}.alice.com`), "ok", label)
    }
  })

  it("checkHandle reserves the host's own name and its service domains", () => {
    const host = { host: "social.example.com" }
    assert.strictEqual(errorOf("social.example.com", host), "HandleNotAvailable")
    assert.strictEqual(errorOf("Social.Example.com", host), "HandleNotAvailable")
    assert.strictEqual(errorOf("social.example.com"), "ok")
    assert.strictEqual(errorOf("pds.example.com", host), "HandleNotAvailable")
    assert.strictEqual(errorOf("social.example.com", { ...host, override: true }), "ok")
  })

  it("checkHandle rejects invalid punycode on a service domain", () => {
    assert.strictEqual(errorOf("xn--97i80t20-kva.pds.example.com"), "InvalidHandle")
    assert.strictEqual(
      errorOf("xn--97i80t20-kva.pds.example.com", { override: true }),
      "InvalidHandle"
    )
    // They may resolve by DNS.
    assert.strictEqual(errorOf("xn--97i80t20-kva.com"), "ok")
  })

  it("an administrator's override skips the rules for length and names, but not the syntax", () => {
    assert.strictEqual(errorOf("admin.pds.example.com", { override: true }), "ok")
    assert.strictEqual(errorOf("al.pds.example.com", { override: true }), "ok")
    assert.strictEqual(errorOf("a.b.pds.example.com", { override: true }), "InvalidHandle")
    assert.strictEqual(errorOf("a_b.pds.example.com", { override: true }), "InvalidHandle")
  })

  it("serviceDomainOf returns the longest matching service domain", () => {
    const domains = ["example.com", "pds.example.com"]
    assert.strictEqual(serviceDomainOf("alice.pds.example.com", domains), "pds.example.com")
    assert.strictEqual(serviceDomainOf("alice.example.com", domains), "example.com")
    assert.isUndefined(serviceDomainOf("alice.badexample.com", domains))
  })
})
