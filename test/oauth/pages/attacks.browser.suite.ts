import { assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import {
  allow,
  arrive,
  newVisitor,
  signInHere,
  signInUnseen
} from "../../support/browser/browser.ts"
import { listen } from "../../support/browser/browserApps.ts"
import { makeAppKey, startServerApp, travel } from "../../support/browser/browserServerApp.ts"
import type { Person } from "../../support/server/serverPeople.ts"
import { back, type BrowserWorld, leave, openApp } from "../../support/browser/world.ts"

type Fields = Readonly<Record<string, string>>

const formOf = (action: string, fields: Fields): string =>
  `<!doctype html><form method="post" action="${action}">${Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
    .join("")}<button>Win a prize</button></form>`

/** The hidden fields of a form on one of our pages. */
const fieldsOf = async (page: Page, action: string): Promise<Fields> => {
  const inputs = await page.locator(`form[action="${action}"] input[type=hidden]`).all()
  const fields = inputs.map(async (input) => [
    await input.getAttribute("name"),
    await input.getAttribute("value")
  ])
  return Object.fromEntries(await Promise.all(fields))
}

/**
 * An attacker's page on the same site at another port, and on another site: the browser sends
 * cookies with the first only.
 */
const strange = async (html: string, use: (url: string) => Promise<void>) => {
  const { port, close } = await listen((path) => (path === "/" ? ["text/html", html] : undefined))
  try {
    for (const host of ["localhost", "127.0.0.1"]) await use(`http://${host}:${port}/`)
  } finally {
    await close()
  }
}

/** What attackers try on a user whose browser is signed in. */
export const attacksSuite = (world: () => BrowserWorld) => {
  describe("an attacker's page", () => {
    let grace: Person
    let mallory: Person
    beforeAll(async () => {
      grace = await world().person("grace")
      mallory = await world().person("mallory")
    })

    it("a foreign form can't consent, sign out or sign in for a user", async () => {
      const { app, server } = world()
      const context = await world().visitor()
      await signInUnseen(context, server.publicUrl, grace)
      const page = await openApp(context, app)
      await leave(page, grace.handle)
      await arrive(page, "Allow this app")
      const real = await fieldsOf(page, "/oauth/authorize/accept")

      // An attacker may know everything except the token, and has a token of their own.
      const own = await world().visitor()
      const ownPage = await own.newPage()
      await ownPage.goto(`${server.publicUrl}/account/sign-in`)
      const { csrf = "" } = await fieldsOf(ownPage, "/account/sign-in")
      await world().forget(own)
      const account = { csrf, account: grace.did }
      const signIn = { csrf, to: "", identifier: mallory.handle, password: mallory.password }
      const forms = [
        ["/oauth/authorize/accept", { ...real, csrf }],
        // Even a leaked token must not help.
        ["/oauth/authorize/accept", real],
        ["/oauth/authorize/reject", { ...real, csrf }],
        ["/account/sign-out", account],
        ["/account/devices/sign-out-others", account],
        ["/account/sign-in", signIn]
      ] as const
      const other = await context.newPage()
      for (const [action, fields] of forms) {
        await strange(formOf(`${server.publicUrl}${action}`, fields), async (url) => {
          await other.goto(url)
          const answered = other.waitForResponse((response) => response.url().endsWith(action))
          await other.getByRole("button").click()
          assert.strictEqual((await answered).status(), 403, `${action} from ${url}`)
          await arrive(other, "That didn’t work")
        })
      }
      await page.getByRole("button", { name: "Allow" }).click()
      assert.deepStrictEqual(await back(page, app), { ok: true, value: grace.did })
      await page.goto(`${server.publicUrl}/account`)
      await page.getByText(grace.did).waitFor()
      await world().forget(context)
    })

    it("a foreign page can't frame our pages", async () => {
      const { app, server } = world()
      const context = await newVisitor(world().browser)
      await signInUnseen(context, server.publicUrl, grace)
      const page = await openApp(context, app)
      await leave(page, grace.handle)
      await arrive(page, "Allow this app")
      for (const target of [page.url(), `${server.publicUrl}/account`]) {
        const answer = await page.goto(target)
        const headers = answer?.headers() ?? {}
        assert.strictEqual(headers["x-frame-options"], "DENY")
        assert.include(headers["content-security-policy"], "frame-ancestors 'none'")
        const frame = `<!doctype html><iframe src="${target.replaceAll("&", "&amp;")}"></iframe>`
        await strange(frame, async (url) => {
          const other = await context.newPage()
          const refused = other.waitForEvent("console", (message) =>
            message.text().includes("frame-ancestors 'none'")
          )
          await other.goto(url)
          await refused
          assert.strictEqual(await other.frameLocator("iframe").locator("form").count(), 0)
          await other.close()
        })
      }
      await context.close()
    })

    it("a planted cookie is useless", async () => {
      const { app, server } = world()
      const theirs = await world().visitor()
      const theirPage = await theirs.newPage()
      await theirPage.goto(`${server.publicUrl}/account/sign-in`)
      const context = await world().visitor()
      await context.addCookies(await theirs.cookies())
      const page = await openApp(context, app)
      await leave(page, grace.handle)
      await signInHere(page, grace)
      await arrive(page, "Allow this app")
      const [before] = await theirs.cookies()
      const [after] = await context.cookies()
      assert.strictEqual(after?.name, before?.name)
      assert.notStrictEqual(after?.value, before?.value)
      assert.deepInclude(after, { httpOnly: true, sameSite: "Lax" })
      await theirPage.goto(`${server.publicUrl}/account`)
      await arrive(theirPage, "Sign in")
      await theirPage.goto(page.url())
      await arrive(theirPage, "This sign-in has expired")
      await allow(page)
      assert.deepStrictEqual(await back(page, app), { ok: true, value: grace.did })
      for (const one of [theirs, context]) await world().forget(one)
    })

    it("an app's metadata can't inject scripts into our pages", async () => {
      const { published, server } = world()
      const context = await newVisitor(world().browser)
      const dialogs: Array<string> = []
      context.on("dialog", (dialog) => {
        dialogs.push(dialog.message())
        dialog.dismiss().catch(() => undefined)
      })
      const name = `</code><script>alert(1)</script><img src=x onerror="alert(2)">`
      const options = { keys: [await makeAppKey("evil")], name }
      const evil = startServerApp(server, published.evil, options)
      const url = await evil.client.authorize(server.publicUrl)
      await travel(context, url, evil, async (page) => {
        await signInHere(page, grace)
        await arrive(page, "Allow this app")
        await page.getByText(`“${name.slice(0, 60)}`).waitFor()
        assert.strictEqual(await page.locator("main img, main script").count(), 0)
        await allow(page)
      })
      assert.deepStrictEqual(dialogs, [])
      await context.close()
    })
  })

  describe("a browser context of these tests", () => {
    it("a visitor finds nothing of the visitor before", async () => {
      const { app, server } = world()
      const person = await world().person("gwen")
      const before = await world().visitor()
      await signInUnseen(before, server.publicUrl, person)
      const page = await openApp(before, app)
      await page.evaluate(`localStorage.setItem("kept", "yes")`)
      await world().forget(before)
      const after = await world().visitor()
      assert.deepStrictEqual(await after.cookies(), [])
      const fresh = await after.newPage()
      await fresh.goto(`${app.url}settings.json`)
      const left = "indexedDB.databases().then((all) => [all.length, localStorage.length])"
      assert.deepStrictEqual(await fresh.evaluate(left), [0, 0])
      await world().forget(after)
    })
  })

  describe("every page shown in these tests", () => {
    it("every page complies with its own policy", () => {
      assert.deepStrictEqual(world().complaints(), [])
    })
  })
}
