import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import {
  consoleForm,
  enterConsole,
  look,
  makeOperator,
  newestActs,
  type Operator
} from "../support/http/consolePages.ts"
import type { Browser } from "../support/http/httpBrowser.ts"
import { ours } from "../support/http/accountPages.ts"
import { basic } from "../support/http/httpHost.ts"
import { ok, startWorld, type World } from "../support/http/httpWorld.ts"

let world: World
let inviter: Operator

beforeAll(async () => {
  world = await startWorld()
  inviter = await makeOperator(world, "inviter-op", "inviter")
})
afterAll(() => world.close())

const create = async (browser: Browser, uses: string, codes: string) =>
  browser.post(await consoleForm(browser, "invites", "invites/create"), { uses, codes })

describe("the console's invites", () => {
  it("an invite has its link and QR code, lets people in, and ends when it is disabled", async () => {
    const browser = await enterConsole(world, inviter)
    const made = await create(browser, "2", "1")
    assert.strictEqual(made.status, 303)
    const [entry] = await newestActs(world)
    assert.deepInclude(entry, {
      actor: inviter.did,
      act: "/admin/invites",
      status: 303
    })
    const shown = await browser.get(made.location!, ours)
    const [, code = ""] = /sign-up\?invite=([a-z0-9-]+)/.exec(shown.text) ?? []
    assert.isAbove(code.length, 10)
    assert.include(shown.text, '<svg\n    class="qr"')
    assert.include(shown.text, "Nobody has used it yet.")
    const list = await look(browser, "invites")
    assert.include(list.text, code)
    assert.include(list.text, "0 of 2 used, 2 left")
    const off = await browser.post(shown.form("invites/disable"))
    assert.strictEqual(off.status, 303)
    const after = await look(browser, `invites?code=${code}`)
    assert.isFalse(after.has("invites/disable"))
    assert.notInclude(after.text, "sign-up?invite=")
    assert.strictEqual((await newestActs(world))[0]?.act, "com.atproto.admin.disableInviteCodes")
  })

  it("creating several codes opens the list, which has pages", async () => {
    const browser = await enterConsole(world, inviter)
    const made = await create(browser, "1", "60")
    assert.strictEqual(made.location, "/admin/console/invites")
    const first = await look(browser, "invites")
    const [, more = ""] = /href="(\/admin\/console\/invites\?cursor=[^"]+)"/.exec(first.text) ?? []
    const second = await browser.get(more.replaceAll("&amp;", "&"), ours)
    assert.strictEqual(second.status, 200)
    assert.include(second.text, "0 of 1 used")
  })

  it("a wrong number is an error of its field, and creates nothing", async () => {
    const browser = await enterConsole(world, inviter)
    for (const [uses, codes] of [
      ["0", "1"],
      ["1", "501"],
      ["many", "1"],
      ["1", "-3"]
    ] as const) {
      const shown = await create(browser, uses, codes)
      assert.strictEqual(shown.status, 400)
      assert.include(shown.text, "Use a whole number from 1 to 500.")
      assert.deepInclude((await newestActs(world))[0], { actor: inviter.did, status: 400 })
    }
  })

  it("an invite shows its note and end, and is expired afterwards", async () => {
    const browser = await enterConsole(world, inviter)
    const form = await consoleForm(browser, "invites", "invites/create")
    const day = new Date(world.now() + 86_400_000).toISOString().slice(0, 10)
    const given = { uses: "1", codes: "1", note: "For <Bob>", expires: day }
    const made = await browser.post(form, given)
    const [entry] = await newestActs(world)
    assert.deepInclude(entry!.after, { note: "For <Bob>" })
    const shown = await browser.get(made.location!, ours)
    assert.include(shown.text, "For &lt;Bob&gt;")
    assert.include(shown.text, "0 of 1 used, 1 left, expires on ")
    world.advance(2 * 86_400_000)
    const after = await look(await enterConsole(world, inviter), made.location!.split("/").at(-1)!)
    assert.include(after.text, '<span class="tag">expired</span>')
    assert.notInclude(after.text, "sign-up?invite=")
  })

  it("a day in the past and a long note are errors of their fields, and nothing typed is lost", async () => {
    const browser = await enterConsole(world, inviter)
    const given = { uses: "4", codes: "1", note: "Mine", expires: "2001-01-01" }
    const past = await browser.post(await consoleForm(browser, "invites", "invites/create"), given)
    assert.strictEqual(past.status, 400)
    assert.include(past.text, "Choose a day in the future.")
    for (const kept of ['value="4"', 'value="Mine"', 'value="2001-01-01"']) {
      assert.include(past.text, kept)
    }
    const long = await browser.post(past.form("invites/create"), {
      ...given,
      expires: "",
      note: "x".repeat(201)
    })
    assert.strictEqual(long.status, 400)
    assert.include(long.text, "Use at most 200 characters.")
  })

  it("the pages show who invited whom, and by which code", async () => {
    const [code] = ok(
      await world.ask("/admin/invites", {
        auth: basic(),
        input: { account: inviter.did, note: "A neighbour" }
      })
    )["codes"]
    const guest = ok(
      await world.call("com.atproto.server.createAccount", {
        input: {
          handle: "guest.test",
          email: "guest@mail.example.com",
          password: "a good password",
          inviteCode: code
        }
      })
    )
    const browser = await enterConsole(world, inviter)
    const tree = await look(browser, "invites?tree=all")
    assert.match(
      tree.text.replaceAll(/\s+/g, " "),
      /<li> inviter-op\.test <ul> <li> guest\.test <small>A neighbour<\/small>/
    )
    const moderator = await makeOperator(world, "moderator-op", "moderator")
    const other = await enterConsole(world, moderator)
    const ofGuest = await look(other, `account?did=${guest["did"]}`)
    assert.include(ofGuest.text, "Invited by")
    assert.include(ofGuest.text, `did=${encodeURIComponent(inviter.did)}">inviter-op.test</a>`)
    assert.include(ofGuest.text, `invites?code=${code}`)
    assert.include(ofGuest.text, "(A neighbour)")
    const ofInviter = await look(other, `account?did=${inviter.did}`)
    assert.match(ofInviter.text, /It invited:[\s\S]*guest\.test<\/a>/)
  })

  it("an unknown invite is an error, with its name escaped", async () => {
    const browser = await enterConsole(world, inviter)
    const shown = await look(browser, `invites?code=${encodeURIComponent("<script>x</script>")}`)
    assert.strictEqual(shown.status, 400)
    assert.notInclude(shown.text, "<script>x")
  })
})
