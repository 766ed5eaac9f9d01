import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Browser } from "../../support/http/httpBrowser.ts"
import { basic, type Host, startHost } from "../../support/http/httpHost.ts"
import { newestActs } from "../../support/http/consolePages.ts"
import { ok, outcomeOf } from "../../support/http/httpWorld.ts"

const hour = 3_600_000

let host: Host

beforeAll(async () => {
  host = await startHost({ INVITE_REQUIRED: "on" })
})
afterAll(() => host.close())

const make = (input: object) => host.ask("/admin/invites", { auth: basic(), input })

const signUp = (name: string, inviteCode: string) =>
  host.call("com.atproto.server.createAccount", {
    input: {
      handle: `${name}.test`,
      email: `${name}@mail.example.com`,
      password: "a good password",
      inviteCode
    }
  })

const listed = async (code: string) => {
  const { codes } = ok(await host.call("com.atproto.admin.getInviteCodes", { auth: basic() }))
  return codes.find((one: { readonly code: string }) => one.code === code)
}

describe("an invite with a note and an end", () => {
  it("a code has its note and end, works until then, and is refused afterwards", async () => {
    const expires = new Date(host.now() + hour).toISOString()
    const made = ok(await make({ uses: 3, note: "For the\nbook club", expires }))
    const [code] = made["codes"]
    assert.deepInclude(made, { uses: 3, note: "For the book club", expiresAt: expires })
    const [entry] = await newestActs(host)
    assert.deepInclude(entry, { actor: "password", act: "/admin/invites" })
    assert.deepInclude(entry!.after, { note: "For the book club", expiresAt: expires, uses: 3 })
    const view = { note: "For the book club", expiresAt: expires, available: 3 }
    assert.deepInclude(await listed(code), view)
    ok(await signUp("early", code))
    host.advance(hour)
    assert.strictEqual(outcomeOf(await signUp("late", code)), "400 InvalidInviteCode")
    assert.strictEqual((await listed(code)).uses.length, 1)
    const page = await new Browser(host).get(`/account/sign-up?invite=${code}`)
    assert.include(page.text, "invalid or has already been used")
  })

  it("a code that is used up is refused", async () => {
    const [code] = ok(await make({ uses: 1, note: "One" }))["codes"]
    ok(await signUp("first", code))
    assert.strictEqual(outcomeOf(await signUp("second", code)), "400 InvalidInviteCode")
  })

  it("a code without note and end has neither and doesn't expire", async () => {
    const [code] = ok(await make({}))["codes"]
    assert.doesNotHaveAnyKeys(await listed(code), ["note", "expiresAt"])
    host.advance(400 * 24 * hour)
    ok(await signUp("patient", code))
  })

  it("an end in the past, a long note and no uses are rejected, and create no code", async () => {
    const count = async () => {
      const { codes } = ok(await host.call("com.atproto.admin.getInviteCodes", { auth: basic() }))
      return codes.length
    }
    const before = await count()
    for (const wrong of [
      { expires: "2020-01-01" },
      { expires: "soon" },
      { note: "x".repeat(201) },
      { uses: 0 },
      { codes: 501 }
    ]) {
      assert.strictEqual((await make(wrong)).status, 400, JSON.stringify(wrong))
    }
    assert.strictEqual(await count(), before)
  })

  it("an account sees its codes without operators' notes, and no expired ones", async () => {
    const [own] = ok(await make({}))["codes"]
    const { did, accessJwt } = ok(await signUp("giver", own))
    const expires = new Date(host.now() + hour).toISOString()
    const [code] = ok(await make({ account: did, note: "A trial", expires }))["codes"]
    const mine = async () => {
      const asked = { auth: `Bearer ${accessJwt}` }
      return ok(await host.call("com.atproto.server.getAccountInviteCodes", asked))["codes"]
    }
    const [shown] = await mine()
    assert.deepInclude(shown, { code, expiresAt: expires })
    assert.notProperty(shown, "note")
    host.advance(hour)
    const again = ok(
      await host.call("com.atproto.server.createSession", {
        input: { identifier: "giver.test", password: "a good password" }
      })
    )
    const later = await host.call("com.atproto.server.getAccountInviteCodes", {
      auth: `Bearer ${again["accessJwt"]}`
    })
    assert.deepStrictEqual(ok(later)["codes"], [])
  })
})

describe("who invited whom", () => {
  it("the tree says by which code an account came, and who invited it", async () => {
    const [first] = ok(await make({ note: "Family" }))["codes"]
    const { did } = ok(await signUp("grandma", first))
    const [second] = ok(await make({ account: did }))["codes"]
    const child = ok(await signUp("child", second))
    const tree = async (query = "") =>
      ok(await host.ask(`/admin/invites/tree${query}`, { auth: basic() }))["accounts"]
    const all = await tree()
    const of = (sought: string) => all.find((one: { readonly did: string }) => one.did === sought)
    assert.deepInclude(of(did), {
      handle: "grandma.test",
      code: first,
      by: "admin",
      note: "Family"
    })
    const ofChild = { did: child["did"], handle: "child.test", code: second, by: did }
    assert.deepInclude(of(child["did"]), ofChild)
    const [only, ...others] = await tree(`?by=${did}`)
    assert.deepInclude(only, ofChild)
    assert.deepStrictEqual(others, [])
    const next = await tree(`?after=${all[0].did}`)
    assert.deepStrictEqual(next, all.slice(1))
  })
})
