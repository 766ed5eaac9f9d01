import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { isOwnHost } from "../../src/core/identity/ownHost.ts"
import { orOthers } from "../../src/layers/host/sharedServices.ts"

const own = { host: "pds.example.com", handleDomains: ["pds.example.com", "people.example.org"] }

describe("the server's own names", () => {
  it("isOwnHost matches the host, its handle domains and all names below them, in any form", () => {
    for (const host of [
      "pds.example.com",
      "PDS.example.com",
      "pds.example.com.",
      "pds.example.com:443",
      "pds.example.com.:443",
      "alice.pds.example.com",
      "a.b.pds.example.com",
      "people.example.org",
      "alice.people.example.org"
    ]) {
      assert.isTrue(isOwnHost(host, own), host)
    }
    for (const host of [
      "example.com",
      "example.org",
      "xpds.example.com",
      "pds.example.com.evil.net",
      "other.example.com"
    ]) {
      assert.isFalse(isOwnHost(host, own), host)
    }
  })

  it("isOwnHost distinguishes servers on one machine by their port", () => {
    const local = { host: "localhost:8787", handleDomains: ["test"] }
    assert.isTrue(isOwnHost("localhost:8787", local))
    assert.isFalse(isOwnHost("localhost:8788", local))
    assert.isTrue(isOwnHost("alice.test", local))
  })
})

describe("an account whose look-up fails", () => {
  const outcome = (name: string) => Effect.runSyncExit(orOthers(name, own)("the directory is down"))

  it("a failed look-up is unavailable for the server's own names, and asks the network for others", () => {
    for (const name of ["did:web:alice.pds.example.com", "alice.people.example.org"]) {
      assert.isTrue(Exit.isFailure(outcome(name)), name)
    }
    for (const name of ["did:web:alice.example.net", "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "a.net"]) {
      assert.deepStrictEqual(outcome(name), Exit.succeed(Option.none()), name)
    }
  })
})
