import { assert, describe, it } from "@effect/vitest"
import { checkHandle, serviceDomainOf } from "../../src/core/identity/handle.ts"

const rules = { serviceDomains: ["pds.example.com", "example.com"] }

const errorOf = (handle: string, extra: object = {}) => {
  const checked = checkHandle(handle, { ...rules, ...extra })
  return checked.ok ? "ok" : checked.fault.error
}

describe("handles", () => {
  it("are stored in lower case, without the @ that people write", () => {
    assert.deepStrictEqual(checkHandle(" @Alice.PDS.Example.com ", rules), {
      ok: true,
      handle: "alice.pds.example.com",
      hosted: true
    })
  })

  it("of other domains are taken, to be resolved", () => {
    for (const handle of ["alice.com", "xn--bcher-kva.com", "a--b.co.uk", "www.alice.com"]) {
      assert.deepStrictEqual(checkHandle(handle, rules), { ok: true, handle, hosted: false })
    }
  })

  it("at the apex of a service domain must resolve like any other", () => {
    assert.deepStrictEqual(
      checkHandle("pds.example.org", { serviceDomains: ["pds.example.org"] }),
      {
        ok: true,
        handle: "pds.example.org",
        hosted: false
      }
    )
  })

  it("that are malformed are refused", () => {
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

  it("under domains that can never be public are refused", () => {
    for (const top of "alt arpa example internal invalid local localhost onion test".split(" ")) {
      assert.strictEqual(errorOf(`alice.${top}`), "InvalidHandle", top)
    }
    assert.strictEqual(errorOf("alice.test", { allowTest: true }), "ok")
    assert.strictEqual(errorOf("alice.local", { allowTest: true }), "InvalidHandle")
  })

  it("on a service domain are one label of 3 to 18 characters", () => {
    assert.strictEqual(errorOf("al.pds.example.com"), "InvalidHandle")
    assert.strictEqual(errorOf("ali.pds.example.com"), "ok")
    assert.strictEqual(errorOf(`${"a".repeat(18)}.pds.example.com`), "ok")
    assert.strictEqual(errorOf(`${"a".repeat(19)}.pds.example.com`), "InvalidHandle")
    assert.strictEqual(errorOf("a.alice.pds.example.com"), "InvalidHandle")
    assert.strictEqual(errorOf("xn--bcher-kva.pds.example.com"), "ok")
  })

  it("that would pass for the host are reserved, there alone", () => {
    for (const label of ["admin", "www", "support", "about", "atproto", "no-reply"]) {
      assert.strictEqual(errorOf(`${label}.pds.example.com`), "HandleNotAvailable", label)
      assert.strictEqual(errorOf(`${label}.alice.com`), "ok", label)
    }
  })

  it("that are the host's own name, or that of a service domain, are reserved", () => {
    const host = { host: "social.example.com" }
    assert.strictEqual(errorOf("social.example.com", host), "HandleNotAvailable")
    assert.strictEqual(errorOf("Social.Example.com", host), "HandleNotAvailable")
    assert.strictEqual(errorOf("social.example.com"), "ok")
    assert.strictEqual(errorOf("pds.example.com", host), "HandleNotAvailable")
    assert.strictEqual(errorOf("social.example.com", { ...host, override: true }), "ok")
  })

  it("whose punycode says nothing are refused where nobody could ask for them", () => {
    assert.strictEqual(errorOf("xn--97i80t20-kva.pds.example.com"), "InvalidHandle")
    assert.strictEqual(
      errorOf("xn--97i80t20-kva.pds.example.com", { override: true }),
      "InvalidHandle"
    )
    // By DNS they may lead somewhere.
    assert.strictEqual(errorOf("xn--97i80t20-kva.com"), "ok")
  })

  it("are free of the length and name rules when an administrator says so, but not of the syntax", () => {
    assert.strictEqual(errorOf("admin.pds.example.com", { override: true }), "ok")
    assert.strictEqual(errorOf("al.pds.example.com", { override: true }), "ok")
    assert.strictEqual(errorOf("a.b.pds.example.com", { override: true }), "InvalidHandle")
    assert.strictEqual(errorOf("a_b.pds.example.com", { override: true }), "InvalidHandle")
  })

  it("belong to the longest service domain that fits", () => {
    const domains = ["example.com", "pds.example.com"]
    assert.strictEqual(serviceDomainOf("alice.pds.example.com", domains), "pds.example.com")
    assert.strictEqual(serviceDomainOf("alice.example.com", domains), "example.com")
    assert.isUndefined(serviceDomainOf("alice.badexample.com", domains))
  })
})
