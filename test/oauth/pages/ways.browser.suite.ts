import { Agent } from "@atproto/api"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { allow, arrive, look, signInHere, signInUnseen } from "../../support/browser/browser.ts"
import { makeAppKey, startServerApp, travel } from "../../support/browser/browserServerApp.ts"
import type { Person } from "../../support/server/serverPeople.ts"
import { back, type BrowserWorld, leave, openApp } from "../../support/browser/world.ts"

/** Presses tab until an element with this name visibly has the focus. */
const tabTo = async (page: Page, name: string): Promise<void> => {
  const focused = page.locator(":focus")
  for (let tabs = 0; tabs < 30; tabs++) {
    await page.keyboard.press("Tab")
    if ((await focused.count()) === 0 || (await focused.innerText()) !== name) continue
    // The stylesheet's rule; without it a browser shows the focus in its own way.
    const shows = await focused.evaluate((element) => element.matches(":focus-visible"))
    assert.isTrue(shows, `${name} does not show that it has the focus`)
    return
  }
  throw new Error(`the tab key does not lead to ${name}`)
}

/** Holds a request until `go` is called. */
const hold = () => {
  let go = () => {}
  const until = new Promise<void>((resolve) => (go = resolve))
  return { until, go: () => go() }
}

/** Other ways to use the pages than with a mouse and scripts. */
export const waysSuite = (world: () => BrowserWorld) => {
  describe("the sign-in pages", () => {
    let erin: Person
    let frank: Person
    beforeAll(async () => {
      erin = await world().person("erin")
      frank = await world().person("frank")
    })

    it("the pages work with the keyboard alone", async () => {
      const { app, server } = world()
      const context = await world().visitor()
      const page = await openApp(context, app)
      await leave(page, server.publicUrl)
      await arrive(page, "Sign in")
      await page.keyboard.type(erin.handle)
      await page.keyboard.press("Tab")
      await page.keyboard.type(erin.password)
      await tabTo(page, "Sign in")
      await page.keyboard.press("Enter")
      await arrive(page, "Allow this app")
      await tabTo(page, "Allow")
      await page.keyboard.press("Enter")
      assert.deepStrictEqual(await back(page, app), { ok: true, value: erin.did })

      await leave(page, frank.handle)
      await arrive(page, "Sign in")
      await page.keyboard.type(frank.password)
      await page.keyboard.press("Enter")
      await arrive(page, "Allow this app")
      await tabTo(page, "Cancel")
      await page.keyboard.press("Enter")
      assert.deepInclude(await back(page, app), { ok: false, name: "OAuthCallbackError" })

      await leave(page, server.publicUrl)
      await arrive(page, "Choose an account")
      await tabTo(page, "Use another account")
      await page.keyboard.press("Enter")
      await arrive(page, "Sign in")
      await tabTo(page, "Choose another account")
      await tabTo(page, "Cancel and go back to the app")
      await page.keyboard.press("Enter")
      assert.deepInclude(await back(page, app), { ok: false, name: "OAuthCallbackError" })
      await world().forget(context)
    })

    it("the pages send nothing more while a click's response is pending", async () => {
      const { app, server } = world()
      const context = await world().visitor()
      const page = await openApp(context, app)
      const sent: Array<string> = []
      // The next click finds the page still there.
      const [signingIn, allowing] = [hold(), hold()]
      await context.route("**/oauth/authorize/*", async (route) => {
        sent.push(new URL(route.request().url()).pathname)
        await [signingIn, allowing][sent.length - 1]?.until
        await route.continue().catch(() => undefined)
      })
      await leave(page, server.publicUrl)
      await arrive(page, "Sign in")
      await page.getByLabel("Handle, email or DID").fill(erin.handle)
      await page.getByLabel("Password").fill(erin.password)
      await page.getByRole("button", { name: "Sign in", exact: true }).dblclick()
      signingIn.go()
      await arrive(page, "Allow this app")
      // Not with Playwright's own clicks, which wait for each response.
      await page.locator(".pair button").evaluateAll(async ([cancel, accept]) => {
        accept!.click()
        await new Promise((resolve) => setTimeout(resolve, 100))
        cancel!.click()
      })
      allowing.go()
      assert.deepStrictEqual(await back(page, app), { ok: true, value: erin.did })
      assert.deepStrictEqual(sent, ["/oauth/authorize/sign-in", "/oauth/authorize/accept"])
      await world().forget(context)
    })

    it("a page from the browser's back-forward cache is reloaded, so nobody sees it after the sign-out", async () => {
      const { server } = world()
      const context = await world().visitor()
      await signInUnseen(context, server.publicUrl, erin)
      const [page, other] = [await context.newPage(), await context.newPage()]
      await page.goto(`${server.publicUrl}/account`)
      await arrive(page, "Your account")
      await other.goto(`${server.publicUrl}/account`)
      await other.getByRole("button", { name: "Sign out" }).click()
      await arrive(other, "Sign in")
      // Playwright disables Chromium's cache of pages, so this sends the event of a cached one.
      await page.evaluate(`dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
      await arrive(page, "Sign in")
      await world().forget(context)
    })

    it("the pages work without JavaScript, and offer nothing that needs it", async () => {
      const { published, server } = world()
      const context = await world().visitor({ javaScriptEnabled: false })
      for (const responseMode of ["query", "form_post"] as const) {
        const keys = [await makeAppKey(responseMode)]
        const app = startServerApp(server, published[responseMode], { keys, responseMode })
        const url = await app.client.authorize(erin.handle)
        const { params } = await travel(context, url, app, async (page) => {
          if (responseMode === "query") {
            await arrive(page, "Sign in")
            assert.isFalse(await page.getByRole("button", { name: "passkey" }).isVisible())
            await signInHere(page, erin)
          }
          await allow(page)
          if (responseMode === "query") return
          await arrive(page, "Back to the app")
          await look(page, "back-to-the-app", { scripts: false })
          await page.getByRole("button", { name: "Continue" }).click()
        })
        const { session } = await app.client.callback(params)
        const { data } = await new Agent(session).com.atproto.server.getSession()
        assert.strictEqual(data.did, erin.did)
      }
      const page = await context.newPage()
      await page.goto(`${server.publicUrl}/account/passkey`)
      await page.locator("noscript p", { hasText: "Passkeys need JavaScript" }).waitFor()
      await page.goto(`${server.publicUrl}/account`)
      await page.getByRole("button", { name: "Sign out" }).click()
      await arrive(page, "Sign in")
      await world().forget(context)
    })

    it("the pages explain an invalid or expired link", async () => {
      const { app, server } = world()
      const page = await openApp(await world().visitor(), app)
      await leave(page, erin.handle)
      const begun = page.url()
      // The request belongs to the browser that opened it first.
      const elsewhere = await (await world().visitor()).newPage()
      assert.strictEqual((await elsewhere.goto(begun))?.status(), 400)
      await arrive(elsewhere, "This sign-in has expired")
      await look(elsewhere, "over")
      await signInHere(page, erin)
      await allow(page)
      assert.deepStrictEqual(await back(page, app), { ok: true, value: erin.did })
      await page.goto(begun)
      await arrive(page, "This sign-in has expired")
      await page.goto(`${server.publicUrl}/oauth/authorize?client_id=${app.clientId}`)
      await arrive(page, "This app’s request isn’t supported")
      await look(page, "not-pushed")
      for (const context of [page.context(), elsewhere.context()]) await world().forget(context)
    })
  })
}
