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
import { startWorld, type World } from "../support/http/httpWorld.ts"

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
      act: "com.atproto.server.createInviteCodes",
      status: 303
    })
    const shown = await browser.get(made.location!, ours)
    const [, code = ""] = /sign-up\?invite=([a-z0-9-]+)/.exec(shown.text) ?? []
    assert.isAbove(code.length, 10)
    assert.include(shown.text, '<svg\n    class="qr"')
    assert.include(shown.text, "Nobody has used it yet.")
    const list = await look(browser, "invites")
    assert.include(list.text, code)
    assert.include(list.text, "0 of 2 used")
    const off = await browser.post(shown.form("invites/disable"))
    assert.strictEqual(off.status, 303)
    const after = await look(browser, `invites?code=${code}`)
    assert.isFalse(after.has("invites/disable"))
    assert.notInclude(after.text, "sign-up?invite=")
    assert.strictEqual((await newestActs(world))[0]?.act, "com.atproto.admin.disableInviteCodes")
  })

  it("several codes lead to the list, which has pages", async () => {
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

  it("an unknown invite is an error, with its name escaped", async () => {
    const browser = await enterConsole(world, inviter)
    const shown = await look(browser, `invites?code=${encodeURIComponent("<script>x</script>")}`)
    assert.strictEqual(shown.status, 400)
    assert.notInclude(shown.text, "<script>x")
  })
})
