import { assert, beforeAll, describe, it } from "@effect/vitest"
import { allow, arrive, look, newVisitor, signInHere } from "../support/browser.ts"
import type { Person } from "../support/serverPeople.ts"
import { ask, back, type BrowserWorld, leave, openApp, started } from "./world.ts"

/** What people do with apps that run in their browser. */
export const redirectSuite = (world: () => BrowserWorld) => {
  describe("the official client in a browser", () => {
    let alice: Person
    beforeAll(async () => {
      alice = await world().person("alice")
    })

    it("signs in, writes, comes back after a reload, refreshes and signs out", async () => {
      const { app, browser } = world()
      const context = await newVisitor(browser)
      const page = await openApp(context, app)
      await leave(page, alice.handle)
      await look(page, "sign-in")
      await signInHere(page, alice)
      await arrive(page, "Allow this app")
      await look(page, "consent")
      await allow(page)
      assert.deepStrictEqual(await back(page, app), { ok: true, value: alice.did })
      const posted = await ask(page, "post", "from a browser")
      assert.include(posted.ok && posted.value, `at://${alice.did}/app.bsky.feed.post/`)

      await page.reload()
      assert.deepStrictEqual(await started(page), { ok: true, value: alice.did })
      assert.deepStrictEqual(await ask(page, "refresh"), {
        ok: true,
        value: "atproto transition:generic"
      })
      assert.deepStrictEqual(await ask(page, "whoAmI"), { ok: true, value: alice.did })
      assert.deepStrictEqual(await ask(page, "signOut"), { ok: true, value: "" })
      await page.reload()
      assert.deepStrictEqual(await started(page), { ok: true, value: "" })
      await context.close()
    })
  })
}
