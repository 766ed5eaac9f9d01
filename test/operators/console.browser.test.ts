import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { plugIn } from "../factors/factors.browser.suite.ts"
import {
  arrive,
  complaintsIn,
  look,
  newVisitor,
  signInHere,
  startBrowser
} from "../support/browser/browser.ts"
import { startWorker, type TestServer } from "../support/server/server.ts"
import { turnAuthenticatorOn } from "../support/server/serverAuthenticator.ts"
import { adminOf, type Person, signUp } from "../support/server/serverPeople.ts"

let server: TestServer
let browser: Browser
let admin: Person
let codes: Array<string>

beforeAll(async () => {
  server = await startWorker()
  browser = await startBrowser()
  admin = await signUp(server, "keeper")
  await signUp(server, "member")
  codes = [...(await turnAuthenticatorOn(server, admin))]
  const { headers } = adminOf(server)
  const made = await fetch(`${server.publicUrl}/admin/operators`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ account: admin.did, role: "admin" })
  })
  assert.strictEqual(made.status, 200)
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const pages = [
  ["Overview", "Is it well?"],
  ["Accounts", "Accounts"],
  ["Invites", "Invites"],
  ["Moderation", "Moderation"],
  ["Network", "Network"],
  ["Mail", "Mail"],
  ["Backups", "Backups"],
  ["Audit log", "Audit log"],
  ["Operators", "Operators"],
  ["Configuration", "Configuration"]
] as const

const click = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click()

const tab = (page: Page, name: string) =>
  page.getByRole("navigation").getByRole("link", { name, exact: true })

/** Signs in at the console with the password and a recovery code. */
const enter = async (page: Page) => {
  await page.goto(`${server.publicUrl}/admin`)
  await signInHere(page, admin)
  await arrive(page, "One more step")
  await page.getByLabel("Code").fill(codes.pop() ?? "")
  await click(page, "Continue")
  await arrive(page, "Is it well?")
}

describe("the console in a browser", () => {
  let context: BrowserContext
  let page: Page
  let complaints: ReadonlyArray<string>

  beforeAll(async () => {
    context = await newVisitor(browser)
    complaints = complaintsIn(context)
    page = await context.newPage()
    return () => context.close()
  })

  it("an admin signs in with a code, and every page passes axe", async () => {
    await enter(page)
    for (const [name, title] of pages) {
      await tab(page, name).click()
      await arrive(page, title)
      assert.strictEqual(await tab(page, name).getAttribute("aria-current"), "page")
      await look(page, `console-${name.toLowerCase().replace(" ", "-")}`)
    }
    assert.deepStrictEqual(complaints, [])
  })

  it("an admin makes an invite and looks after an account, by keyboard", async () => {
    await tab(page, "Invites").focus()
    await page.keyboard.press("Enter")
    await arrive(page, "Invites")
    await page.getByLabel("People for each code").fill("3")
    await page.keyboard.press("Enter")
    await page.getByRole("img", { name: "QR code of the invite’s link" }).waitFor()
    await look(page, "console-invite")
    await tab(page, "Accounts").click()
    await page.getByLabel("Handle, email address or DID").fill("member")
    await page.keyboard.press("Enter")
    await page.getByRole("link", { name: "member.test" }).click()
    await arrive(page, "member.test")
    await look(page, "console-account")
    await page.getByLabel("Reason", { exact: true }).fill("spam")
    await click(page, "Take down")
    await page.getByText("Taken down.", { exact: true }).waitFor()
    await click(page, "Restore")
    await page.getByText("Restored.", { exact: true }).waitFor()
  })

  it("a passkey opens the console without a code", async () => {
    await plugIn(page)
    await page.goto(`${server.publicUrl}/account/passkey`)
    await arrive(page, "Add a passkey")
    await click(page, "Add passkey")
    await page.getByText("Passkey added").waitFor()
    await click(page, "Sign out")
    await page.goto(`${server.publicUrl}/admin`)
    await arrive(page, "Sign in")
    await click(page, "Sign in with a passkey")
    await arrive(page, "Is it well?")
    assert.deepStrictEqual(complaints, [])
  })

  it("the console works without JavaScript and fits on a phone", async () => {
    const phone = await newVisitor(browser, {
      javaScriptEnabled: false,
      viewport: { width: 375, height: 780 }
    })
    const page = await phone.newPage()
    await enter(page)
    for (const [name, title] of pages) {
      await tab(page, name).click()
      await arrive(page, title)
      const width = await page.evaluate("document.documentElement.scrollWidth")
      assert.strictEqual(width, 375, name)
    }
    await tab(page, "Moderation").click()
    await page.getByLabel("Handle, DID, at:// address").fill("member.test")
    await click(page, "Find")
    await page.getByRole("heading", { name: "Account", exact: true }).waitFor()
    await page.getByLabel("Reason").fill("spam")
    await click(page, "Take down")
    await page.getByText("Taken down.", { exact: true }).waitFor()
    await look(page, "console-moderation-phone", { scripts: false })
    await phone.close()
  })
})
