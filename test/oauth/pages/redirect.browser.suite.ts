import { assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import type { BrowserContext } from "playwright-core"
import { allow, arrive, look, signInHere, signInUnseen } from "../../support/browser/browser.ts"
import type { Person } from "../../support/server/serverPeople.ts"
import type { Outcome } from "../../support/browser/app.ts"
import {
  ask,
  back,
  type BrowserWorld,
  leave,
  openApp,
  started
} from "../../support/browser/world.ts"

const nothing: Outcome = { ok: true, value: "" }
const is = ({ did }: Person): Outcome => ({ ok: true, value: did })

/** What users do with apps that run in their browser. */
export const redirectSuite = (world: () => BrowserWorld) => {
  describe("the official client in a browser", () => {
    let alice: Person
    let carol: Person
    let context: BrowserContext
    beforeAll(async () => {
      alice = await world().person("alice")
      carol = await world().person("carol")
    })
    beforeEach(async () => {
      context = await world().visitor()
      return () => world().forget(context)
    })

    /** The app with a signed-in user. */
    const signedIn = async (person: Person) => {
      const { app, server } = world()
      await signInUnseen(context, server.publicUrl, person)
      const page = await openApp(context, app)
      await leave(page, person.handle)
      await allow(page)
      assert.deepStrictEqual(await back(page, app), is(person))
      return page
    }

    it("the client signs in, writes, comes back after a reload, refreshes and signs out", async () => {
      const { app } = world()
      const page = await openApp(context, app)
      await leave(page, alice.handle)
      await look(page, "sign-in")
      await signInHere(page, { ...alice, password: "not this one" })
      await page.getByRole("alert").waitFor()
      await look(page, "sign-in-refused")
      await signInHere(page, alice)
      await arrive(page, "Allow this app")
      await look(page, "consent")
      await allow(page)
      assert.deepStrictEqual(await back(page, app), is(alice))
      const posted = await ask(page, "post", "from a browser")
      assert.include(posted.ok && posted.value, `at://${alice.did}/app.bsky.feed.post/`)

      await page.reload()
      assert.deepStrictEqual(await started(page), is(alice))
      const granted = await ask(page, "refresh")
      assert.deepStrictEqual(granted, { ok: true, value: "atproto transition:generic" })
      assert.deepStrictEqual(await ask(page, "whoAmI"), is(alice))
      assert.deepStrictEqual(await ask(page, "signOut"), nothing)
      await page.reload()
      assert.deepStrictEqual(await started(page), nothing)
    })

    it("the client signs in through a popup, which closes itself", async () => {
      const page = await openApp(context, world().app)
      const opened = context.waitForEvent("page")
      const signingIn = ask(page, "signInPopup", alice.handle)
      const popup = await opened
      const closed = popup.waitForEvent("close")
      await signInHere(popup, alice)
      await allow(popup)
      assert.deepStrictEqual(await signingIn, is(alice))
      await closed
      assert.deepStrictEqual(await ask(page, "whoAmI"), is(alice))
    })

    it("the client gets an error when its user refuses, on the sign-in and the consent page", async () => {
      const { app } = world()
      const page = await openApp(context, app)
      const refuse = async (button: string) => {
        await page.getByRole("button", { name: button }).click()
        const refused = await back(page, app)
        assert.isFalse(refused.ok)
        assert.deepInclude(refused, { name: "OAuthCallbackError" })
      }
      await leave(page, alice.handle)
      await arrive(page, "Sign in")
      await refuse("Cancel and go back to the app")
      await leave(page, alice.handle)
      await signInHere(page, alice)
      await arrive(page, "Allow this app")
      await refuse("Cancel")
    })

    it("a remembered user needs only to consent, also to a second app with less access", async () => {
      const { app, other } = world()
      const first = await openApp(context, app)
      await leave(first, alice.handle)
      await signInHere(first, alice)
      await allow(first)
      assert.deepStrictEqual(await back(first, app), is(alice))
      await ask(first, "signOut")
      await leave(first, alice.handle)
      await allow(first)
      assert.deepStrictEqual(await back(first, app), is(alice))

      const second = await openApp(context, other)
      await leave(second, alice.handle)
      await arrive(second, "Allow this app")
      await look(second, "consent-less")
      await allow(second)
      assert.deepStrictEqual(await back(second, other), is(alice))
      assert.isTrue((await ask(second, "post", "by the second app")).ok)
      const liked = await ask(second, "like", `at://${alice.did}/app.bsky.feed.post/3jzfcijpj2z2a`)
      assert.isFalse(liked.ok)
      assert.include(liked.ok || liked.message, "repo:app.bsky.feed.like")
      await ask(second, "signOut")
      assert.deepStrictEqual(await ask(first, "whoAmI"), is(alice))
    })

    it("a user with two accounts chooses one, and signs in again where required", async () => {
      const { app, server } = world()
      const page = await signedIn(alice)
      await leave(page, carol.handle)
      await signInHere(page, carol)
      await allow(page)
      assert.deepStrictEqual(await back(page, app), is(carol))
      // No account is named, so both are offered.
      await leave(page, server.publicUrl)
      await arrive(page, "Choose an account")
      await look(page, "choose")
      await page.getByRole("link", { name: alice.handle }).click()
      await arrive(page, "Allow this app")
      await page.getByRole("link", { name: "Use another" }).click()
      await page.getByRole("link", { name: carol.handle }).click()
      await allow(page)
      assert.deepStrictEqual(await back(page, app), is(carol))
      // Both sessions are kept.
      assert.deepStrictEqual(await ask(page, "restore", alice.did), is(alice))
      assert.deepStrictEqual(await ask(page, "whoAmI"), is(alice))

      await leave(page, alice.handle, { prompt: "login" })
      await signInHere(page, alice)
      await allow(page)
      assert.deepStrictEqual(await back(page, app), is(alice))
      await leave(page, server.publicUrl, { prompt: "select_account" })
      await arrive(page, "Choose an account")
    })

    it("the client gets an error at once when it may not ask without a page", async () => {
      const page = await signedIn(alice)
      const refused = await ask(page, "signIn", alice.handle, { prompt: "none" })
      assert.deepInclude(refused, { ok: false, name: "OAuthResponseError" })
      assert.deepStrictEqual(await ask(page, "whoAmI"), is(alice))
    })

    it("the client is signed out when its user ends its access on the account page", async () => {
      const { server } = world()
      const page = await signedIn(alice)
      const account = await context.newPage()
      await account.goto(`${server.publicUrl}/account/apps`)
      await arrive(account, "Apps")
      await look(account, "account-apps")
      const before = await account.getByRole("button", { name: "Disconnect" }).count()
      await account.getByRole("button", { name: "Disconnect" }).first().click()
      await account.getByText("App disconnected").waitFor()
      assert.strictEqual(
        await account.getByRole("button", { name: "Disconnect" }).count(),
        before - 1
      )
      for (let left = before - 1; left > 0; left--) {
        await account.getByRole("button", { name: "Disconnect" }).first().click()
        await account.getByText("App disconnected").waitFor()
      }
      const ended = await ask(page, "whoAmI")
      assert.isFalse(ended.ok)
      assert.include(await page.evaluate(() => app.ended), "TokenRefreshError")
      await page.reload()
      assert.deepStrictEqual(await started(page), nothing)
      // And it may ask again.
      await leave(page, alice.handle)
      await allow(page)
      assert.deepStrictEqual(await back(page, world().app), is(alice))
    })
  })
}
