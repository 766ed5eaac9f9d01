import { readFileSync } from "node:fs"
import { AtpAgent } from "@atproto/api"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { type TOTP, URI } from "otpauth"
import type { BrowserContext, Page } from "playwright-core"
import { allow, arrive, look, signInHere, signInUnseen } from "../support/browser/browser.ts"
import type { Person } from "../support/server/serverPeople.ts"
import { ask, back, type BrowserWorld, leave, openApp, started } from "../support/browser/world.ts"

/** A device's authenticator that always confirms. */
export const plugIn = async (page: Page) => {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send("WebAuthn.enable")
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true
    }
  })
  return {
    credentials: async () =>
      (await devtools.send("WebAuthn.getCredentials", { authenticatorId })).credentials
  }
}

const step = () => Math.floor(Date.now() / 30_000)

/** An authenticator app. Each code works once, as do those of the adjacent half minutes. */
class CodeApp {
  readonly #totp: TOTP
  #last = 0

  constructor(uri: string) {
    // SAFETY: the server returns otpauth://totp/…
    this.#totp = URI.parse(uri) as TOTP
  }

  /** An unused code; waits if all current ones were used. */
  async next(): Promise<string> {
    // The previous code, unless it could expire on the way.
    const oldest = step() - (Date.now() % 30_000 < 15_000 ? 1 : 0)
    this.#last = Math.max(this.#last + 1, oldest)
    while (this.#last > step() + 1) await new Promise((done) => setTimeout(done, 200))
    return this.#totp.generate({ timestamp: this.#last * 30_000 })
  }
}

/** How people sign in with more, or something else, than a password. */
export const factorsSuite = (world: () => BrowserWorld) => {
  describe("a user with a passkey and an authenticator", () => {
    let dora: Person
    let context: BrowserContext
    let page: Page
    let codes: CodeApp
    let recovery: ReadonlyArray<string>
    let appPassword: string
    const open = (path: string) => page.goto(`${world().server.publicUrl}${path}`)
    const click = (name: string) => page.getByRole("button", { name, exact: true }).click()
    const link = (name: string) => page.getByRole("link", { name, exact: true }).click()

    beforeAll(async () => {
      dora = await world().person("dora")
      context = await world().visitor()
      page = await context.newPage()
      return () => world().forget(context)
    })

    /** Presses the page's copy button; returns what the clipboard then holds. */
    const copied = async () => {
      await context.grantPermissions(["clipboard-read", "clipboard-write"])
      await click("Copy")
      await page.getByRole("button", { name: "Copied" }).waitFor()
      return page.evaluate<string>("navigator.clipboard.readText()")
    }

    /** Signs out, and in again up to the second step. */
    const toSecondStep = async () => {
      await open("/account")
      await click("Sign out")
      await signInHere(page, dora)
      await arrive(page, "One more step")
    }

    it("every tab and button of the account page fits on one line on the narrowest phones", async () => {
      const phone = await world().visitor({ viewport: { width: 320, height: 640 } })
      await signInUnseen(phone, world().server.publicUrl, dora)
      const page = await phone.newPage()
      await page.goto(`${world().server.publicUrl}/account`)
      await arrive(page, "Your account")
      const lines = await page.evaluate(
        `[...document.querySelectorAll("nav.tabs a, .actions a, .actions button")].map((one) => {
          const range = document.createRange()
          range.selectNodeContents(one)
          return range.getClientRects().length
        })`
      )
      assert.deepStrictEqual(lines, [1, 1, 1, 1, 1, 1, 1], "a word is broken")
      assert.strictEqual(await page.evaluate("document.documentElement.scrollWidth"), 320)
      await world().forget(phone)
    })

    it("a user adds a passkey and signs in with it, without a password", async () => {
      const { credentials } = await plugIn(page)
      await open("/account/security")
      await signInHere(page, dora)
      await arrive(page, "How you sign in")
      await look(page, "account-security-empty")
      await link("Add a passkey")
      await arrive(page, "Add a passkey")
      await look(page, "account-passkey")
      await page.getByLabel("Name").fill("My laptop")
      await click("Add passkey")
      await page.getByText("Passkey added").waitFor()
      assert.strictEqual((await credentials()).length, 1)
      await link("Add a passkey")
      await arrive(page, "Add a passkey")
      await click("Add passkey")
      await page.getByText("You’ve already added this passkey").waitFor()
      assert.strictEqual((await credentials()).length, 1)

      await click("Sign out")
      await arrive(page, "Sign in")
      await click("Sign in with a passkey")
      await arrive(page, "Your account")
      await look(page, "account")
      await link("Sign-in")
      await page.getByText("last used just now").waitFor()
      await look(page, "account-security")

      const { app } = world()
      await click("Sign out")
      await page.goto(app.url)
      await started(page)
      await leave(page, dora.handle)
      await click("Sign in with a passkey")
      await allow(page)
      assert.deepStrictEqual(await back(page, app), { ok: true, value: dora.did })
    })

    it("a user turns an authenticator on, and needs a code from then on", async () => {
      await open("/account/app-password")
      await page.getByLabel("Name").fill("An old app")
      await look(page, "account-app-password")
      await click("Create app password")
      await arrive(page, "Your new app password")
      await look(page, "account-app-password-created")
      appPassword = await page.locator(".secret code").innerText()
      assert.strictEqual(await copied(), appPassword)
      await open("/account")
      assert.strictEqual(await copied(), dora.did)

      await open("/account/authenticator")
      await look(page, "account-authenticator")
      await click("Begin")
      const app = page.getByRole("link", { name: "Open your authenticator app" })
      codes = new CodeApp((await app.getAttribute("href")) ?? "")
      await page.getByLabel("The code your app shows now").fill("000000")
      await click("Verify and turn on")
      await page.getByRole("alert").waitFor()
      await look(page, "account-authenticator-refused")
      await page.getByLabel("The code your app shows now").fill(await codes.next())
      await click("Verify and turn on")
      await arrive(page, "Your recovery codes")
      await look(page, "account-recovery-codes")
      recovery = await page.locator("ol.codes li").allInnerTexts()
      assert.strictEqual(recovery.length, 10)
      await page.getByRole("button", { name: "Print" }).waitFor()
      const saving = page.waitForEvent("download")
      await link("Save as a file")
      const saved = readFileSync(await (await saving).path(), "utf8")
      for (const code of recovery) assert.include(saved, code)

      await toSecondStep()
      await look(page, "second-step")
      await page.getByLabel("Code").fill(recovery[0]!)
      await click("Continue")
      await arrive(page, "Your account")
      await toSecondStep()
      await page.getByLabel("Code").fill(recovery[0]!)
      await click("Continue")
      await page.getByRole("alert").waitFor()
      await look(page, "second-step-refused")
      await page.getByLabel("Code").fill(await codes.next())
      await click("Continue")
      await arrive(page, "Your account")
      await toSecondStep()
      await click("Use a passkey instead")
      await arrive(page, "Your account")
    })

    it("older apps also ask for a code, unless they use an app password", async () => {
      const { publicUrl } = world().server
      const { handle: identifier, password } = dora
      const agent = new AtpAgent({ service: publicUrl })
      const without = await agent.login({ identifier, password }).catch((error: unknown) => error)
      assert.deepInclude(without, { status: 401, error: "AuthFactorTokenRequired" })
      const wrong = agent.login({ identifier, password, authFactorToken: recovery[0]! })
      assert.isFalse(await wrong.then(() => true).catch(() => false))
      await agent.login({ identifier, password, authFactorToken: await codes.next() })
      assert.strictEqual(agent.session?.did, dora.did)
      const old = new AtpAgent({ service: publicUrl })
      await old.login({ identifier, password: appPassword })
      assert.strictEqual(old.session?.did, dora.did)
    })

    it("a user signs in to an app with the code, removes the passkey and turns the authenticator off", async () => {
      const { app, server } = world()
      const elsewhere = await world().visitor()
      const other = await openApp(elsewhere, app)
      await leave(other, dora.handle)
      await signInHere(other, dora)
      await arrive(other, "One more step")
      await other.getByLabel("Code").fill(recovery[1]!)
      await other.getByRole("button", { name: "Continue" }).click()
      await allow(other)
      assert.deepStrictEqual(await back(other, app), { ok: true, value: dora.did })
      const { host } = new URL(server.publicUrl)

      await open("/account/devices")
      await look(page, "account-devices")
      await click("Sign out everywhere else")
      await page.getByText("All other devices are signed out").waitFor()
      await other.goto(`http://${host}/account`)
      await arrive(other, "Sign in")
      await world().forget(elsewhere)

      await open("/account/security")
      await click("Remove")
      await page.getByText("Passkey removed").waitFor()
      await open("/account/authenticator")
      await look(page, "account-authenticator-on")
      await click("Turn off")
      await page.getByText("Authenticator turned off").waitFor()
      await click("Sign out")
      await signInHere(page, dora)
      await arrive(page, "Your account")
    })

    it("a new password signs out everything that used the old one", async () => {
      const { app, server } = world()
      const client = await openApp(context, app)
      await leave(client, dora.handle)
      await allow(client)
      assert.deepStrictEqual(await back(client, app), { ok: true, value: dora.did })
      await page.goto(`${server.publicUrl}/.well-known/change-password`)
      await arrive(page, "Change your password")
      await look(page, "account-password")
      const password = "another password of dora"
      await page.getByLabel("New password").fill(password)
      await page.getByRole("button", { name: "Show password" }).first().click()
      await page.locator("#password[type=text]").waitFor()
      await page.getByLabel("Repeat the password").fill(`${password}!`)
      await click("Change password")
      await page.getByText("The passwords don’t match").waitFor()
      await page.locator("#again:focus").waitFor()
      await look(page, "account-password-refused")
      await page.getByLabel("New password").fill(password)
      await page.getByLabel("Repeat the password").fill(password)
      await click("Change password")
      await page.getByText("Password changed").waitFor()
      assert.deepInclude(await ask(client, "whoAmI"), { ok: false })
      await client.close()
      const agent = new AtpAgent({ service: server.publicUrl })
      await agent.login({ identifier: dora.handle, password })
      await open("/account/apps")
      await page.getByText("No connected apps yet").waitFor()
    })
  })
}
