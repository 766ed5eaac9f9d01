import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { isOwnHost } from "../../src/core/identity/ownHost.ts"
import { orOthers } from "../../src/layers/host/sharedServices.ts"

const own = { host: "pds.example.com", handleDomains: ["pds.example.com", "people.example.org"] }

describe("the server's own names", () => {
  it("are its host, its handle domains and all names below them, however they are written", () => {
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

  it("are told apart by the port on a machine that several servers share", () => {
    const local = { host: "localhost:8787", handleDomains: ["test"] }
    assert.isTrue(isOwnHost("localhost:8787", local))
    assert.isFalse(isOwnHost("localhost:8788", local))
    assert.isTrue(isOwnHost("alice.test", local))
  })
})

describe("an account that cannot be looked up", () => {
  const outcome = (name: string) => Effect.runSyncExit(orOthers(name, own)("the directory is down"))

  it("is unavailable under the server's own names, and asked of others under any other", () => {
    for (const name of ["did:web:alice.pds.example.com", "alice.people.example.org"]) {
      assert.isTrue(Exit.isFailure(outcome(name)), name)
    }
    for (const name of ["did:web:alice.example.net", "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "a.net"]) {
      assert.deepStrictEqual(outcome(name), Exit.succeed(Option.none()), name)
    }
  })
})
