import { assert, describe, it } from "@effect/vitest"
import { openTicket, sealTicket } from "../../../src/core/sessions/ticket.ts"

const key = new Uint8Array(32).fill(1)
const now = 1_800_000_000_000
const claims = { did: "did:web:jürgen.test", step: 2, list: ["a", null] }
const ticket = sealTicket(key, "code still missing", claims, now + 1000)

describe("tickets", () => {
  it("openTicket returns the sealed claims until they expire", () => {
    assert.deepStrictEqual(openTicket(key, "code still missing", ticket, now), claims)
    assert.deepStrictEqual(openTicket(key, "code still missing", ticket, now + 999), claims)
    assert.isUndefined(openTicket(key, "code still missing", ticket, now + 1000))
  })

  it("a ticket may expire between two milliseconds", () => {
    const text = sealTicket(key, "csrf", {}, now + 0.5)
    assert.deepStrictEqual(openTicket(key, "csrf", text, now - 1), {})
    assert.isUndefined(openTicket(key, "csrf", text, now))
  })

  it("a ticket's characters are safe in an attribute, a cookie and a URL", () => {
    assert.match(ticket, /^[\w.-]+$/)
  })

  it("openTicket rejects another purpose and another key", () => {
    for (const purpose of ["csrf", "", "code still missing "]) {
      assert.isUndefined(openTicket(key, purpose, ticket, now))
    }
    assert.isUndefined(
      openTicket(
        key.map(() => 2),
        "code still missing",
        ticket,
        now
      )
    )
  })

  it("openTicket rejects a ticket with any character changed", () => {
    for (let at = 0; at < ticket.length; at += 1) {
      const changed = ticket[at] === "1" ? "2" : "1"
      const text = ticket.slice(0, at) + changed + ticket.slice(at + 1)
      assert.isUndefined(openTicket(key, "code still missing", text, now), text)
    }
  })

  it("openTicket rejects a ticket with another expiry, truncated, extended or empty", () => {
    const [expires, stated, mac] = ticket.split(".")
    const later = sealTicket(key, "code still missing", {}, now + 9000)
    for (const text of [
      "",
      "..",
      `${expires}.${stated}`,
      `${expires}.${stated}.`,
      `${later.split(".")[0]}.${stated}.${mac}`,
      `0${ticket}`,
      `${ticket}\n`,
      `${ticket}.a`,
      ticket.slice(0, -1)
    ]) {
      assert.isUndefined(openTicket(key, "code still missing", text, now), text)
    }
  })
})
