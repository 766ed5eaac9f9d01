import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ask, browserOf, enter, ours } from "../support/http/accountPages.ts"
import { Browser, type Shown } from "../support/http/httpBrowser.ts"
import { codeFor, newcomer, type Newcomer, waitingCodes } from "../support/http/httpCodes.ts"
import { startHost } from "../support/http/httpHost.ts"
import { startWorld, type World } from "../support/http/httpWorld.ts"

let world: World

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const someone = () => newcomer(world, `forgetful${world.next()}`)

const asked = async (browser: Browser, identifier: string): Promise<Shown> => {
  const form = (await browser.get("/account/forgot", ours)).form("/account/forgot")
  return browser.submit(form, { identifier })
}

/** The pending code, after the work that follows the response. */
const waiting = async ({ did }: Newcomer): Promise<string> => {
  for (;;) {
    const { reset_password: code } = await waitingCodes(world, did)
    if (code !== undefined) return code
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const password = "a password to remember"
const fresh = { password, again: password }

describe("a forgotten password", () => {
  it("the sign-in page links to the reset, which a code completes, and everyone else is signed out", async () => {
    const who = await someone()
    const other = new Browser(world)
    await enter(other, who)
    const browser = new Browser(world)
    const signIn = await browser.get("/account/sign-in")
    assert.include(signIn.text, 'href="/account/forgot"')
    // This server sends no mail, and says so.
    const question = await browser.get("/account/forgot")
    assert.include(question.text, "Request a code")
    assert.notInclude(question.text, "Send a code")
    const page = await asked(browser, who.handle)
    const done = await browser.submit(page.form("/reset"), {
      code: await waiting(who),
      ...fresh
    })
    assert.include(done.text, "Password changed. Sign in with the new one.")
    await ask(world, who.did, "provePassword", { password })
    const { location = "" } = await other.get("/account", ours)
    assert.match(location, /^\/account\/sign-in/)
  })

  it("the response to a reset request doesn’t reveal whether the account exists", async () => {
    const who = await someone()
    const pages: Array<string> = []
    for (const identifier of [who.email, who.handle, who.did, "nobody@mail.example.com", "x", ""]) {
      const { status, text } = await asked(new Browser(world), identifier)
      pages.push(`${status} ${text.replaceAll(/name="csrf" value="[^"]*"/g, "")}`)
    }
    assert.lengthOf(new Set(pages), 1)
    assert.match(pages[0]!, /^200 /)
  })

  it("a wrong, foreign or expired code or an invalid new password changes nothing", async () => {
    const who = await someone()
    const browser = new Browser(world)
    const form = (await browser.get("/account/reset", ours)).form("/reset")
    const code = await codeFor(world, who.did, "reset_password")
    const other = await codeFor(world, who.did, "delete_account")
    for (const [fields, words] of [
      [{ code: "AAAAA-AAAAA", ...fresh }, "That code is wrong"],
      [{ code: "", ...fresh }, "That code is wrong"],
      [{ code: other, ...fresh }, "That code is wrong"],
      [{ code, password, again: "another" }, "don’t match"],
      [{ code, password: "short", again: "short" }, "8 characters"]
    ] as const) {
      const again = await browser.submit(form, fields)
      const { status, text } = again
      assert.strictEqual(status, 400)
      assert.include(text, words)
      // A code that wasn't the problem need not be typed again.
      assert.strictEqual(again.form("/reset").fields["code"], fields.code === code ? code : "")
      assert.notInclude(text, password)
    }
    world.advance(15 * 60_000)
    assert.include((await browser.submit(form, { code, ...fresh })).text, "has expired")
    world.advance(-15 * 60_000)
    await ask(world, who.did, "provePassword", { password: who.password })
  })

  it("a stranger’s form can neither request nor complete a reset", async () => {
    const who = await someone()
    const browser = new Browser(world)
    const forms = [
      (await browser.get("/account/forgot", ours)).form("/account/forgot"),
      (await browser.get("/account/reset", ours)).form("/account/reset")
    ]
    const stranger = await browserOf(world, world.alice)
    const code = await codeFor(world, who.did, "reset_password")
    for (const form of forms) {
      const filled = { identifier: who.email, code, ...fresh }
      const answers = [
        await stranger.post(form, filled),
        await browser.post(form, { ...filled, csrf: "" }),
        await browser.post(form, { ...filled, csrf: undefined }),
        await browser.post(form, filled, { origin: "https://evil.example.com" }),
        await browser.post(form, filled, { "sec-fetch-site": "cross-site" })
      ]
      for (const { status } of answers) assert.strictEqual(status, 403, form.action)
    }
    assert.deepStrictEqual(await waitingCodes(world, who.did), {})
    await ask(world, who.did, "provePassword", { password: who.password })
  })

  it("a reset password still needs the authenticator", async () => {
    const who = await someone()
    const { secret } = await ask(world, who.did, "beginAuthenticator")
    const { TOTP } = await import("otpauth")
    const first = new TOTP({ secret }).generate({ timestamp: world.now() })
    await ask(world, who.did, "confirmAuthenticator", { code: first })
    const browser = new Browser(world)
    const form = (await browser.get("/account/reset", ours)).form("/reset")
    const code = await codeFor(world, who.did, "reset_password")
    await browser.submit(form, { code, ...fresh })
    assert.isTrue((await enter(browser, { ...who, password })).has("/code"))
  })

  it("reset requests share a limit of 15 per hour and address with the XRPC method", async () => {
    const host = await startHost({ RATE_LIMITS: "sensitive" })
    const browser = new Browser(host)
    const form = (await browser.get("/account/forgot", ours)).form("/account/forgot")
    const nsid = "com.atproto.server.requestPasswordReset"
    const input = { email: "nobody@mail.example.com" }
    const headers = { "cf-connecting-ip": "192.0.2.1" }
    for (let time = 0; time < 14; time++) await host.call(nsid, { input, headers })
    assert.strictEqual((await browser.post(form, { identifier: "nobody" })).status, 303)
    assert.strictEqual((await browser.post(form, { identifier: "nobody" })).status, 429)
    assert.strictEqual((await host.call(nsid, { input, headers })).status, 429)
    await host.close()
  })
})
