import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Browser, unescape } from "../../support/http/httpBrowser.ts"
import { basic, type Host, startHost } from "../../support/http/httpHost.ts"
import { ok } from "../../support/http/httpWorld.ts"
import { pushed } from "../../support/http/authorizePages.ts"
import { type App, publicApp } from "../../support/http/oauthApp.ts"

let host: Host
let app: App

beforeAll(async () => {
  host = await startHost({ INVITE_REQUIRED: "on", HANDLE_DOMAINS: "test,pearl.test" })
  app = await publicApp(host)
})
afterAll(() => host.close())

const invite = async (): Promise<string> =>
  ok(
    await host.call("com.atproto.server.createInviteCode", {
      input: { useCount: 1 },
      auth: basic()
    })
  )["code"]

const open = async (browser: Browser) => {
  const { path } = await pushed(app, { prompt: "create" })
  return (await browser.get(path)).form("/sign-up")
}

const password = "a password of one's own"

describe("the sign-up page", () => {
  it("the sign-up page creates an account with an invite, signs it in and continues to the app", async () => {
    const browser = new Browser(host)
    const form = await open(browser)
    const page = await browser.submit(form, {
      invite: await invite(),
      name: "mia",
      domain: "pearl.test",
      email: "mia@mail.example.com",
      password
    })
    assert.isTrue(page.has("/accept"))
    assert.include(page.text, "mia.pearl.test")
    const { path } = await pushed(app)
    assert.isTrue((await browser.get(path)).has("/accept"))
    const input = { identifier: "mia.pearl.test", password }
    ok(await host.call("com.atproto.server.createSession", { input }))
  })

  it("the sign-up page accepts the whole handle as the name", async () => {
    const browser = new Browser(host)
    const page = await browser.submit(await open(browser), {
      invite: await invite(),
      name: "@noah.test",
      domain: "test",
      email: "noah@mail.example.com",
      password
    })
    assert.isTrue(page.has("/accept"))
    assert.include(page.text, ">noah.test<")
  })

  it("the sign-up page says what is wrong and keeps what was typed, except for the password", async () => {
    const code = await invite()
    const good = {
      invite: code,
      name: "lea",
      domain: "test",
      email: "lea@mail.example.com",
      password
    }
    for (const [change, said] of [
      [{ invite: "" }, "invite code"],
      [{ invite: "nonsense" }, "invite code is invalid"],
      [{ name: "mia", domain: "pearl.test" }, "That handle is taken"],
      [{ name: "a b" }, "use that name here"],
      [{ domain: "elsewhere.example.com" }, "domain"],
      [{ email: "mia@mail.example.com" }, "email address already exists"],
      [{ email: "nonsense" }, "email"],
      [{ password: "short" }, "8 characters"]
    ] as const) {
      const browser = new Browser(host)
      const page = await browser.submit(await open(browser), { ...good, ...change })
      assert.strictEqual(page.status, 400)
      const note = unescape(/role="alert"[^>]*>([^<]*)</.exec(page.text)?.[1] ?? "")
      assert.include(note.toLowerCase(), said.toLowerCase())
      const { name, email, password: typed } = { ...good, ...change }
      const { fields } = page.form("/sign-up")
      assert.deepStrictEqual([fields["name"], fields["email"]], [name, email])
      assert.strictEqual(fields["password"], "")
      assert.notInclude(page.text, `"${typed}"`)
    }
    const browser = new Browser(host)
    assert.isTrue((await browser.submit(await open(browser), good)).has("/accept"))
  })

  it("sign-up is not offered when the app requests an existing account", async () => {
    const browser = new Browser(host)
    const { path } = await pushed(app, { prompt: "create", login_hint: "mia.pearl.test" })
    const page = await browser.get(`${path}&page=sign-up`)
    assert.isFalse(page.has("/sign-up"))
    assert.isTrue(page.has("/sign-in"))
    assert.notInclude(page.text, "Create an account")
  })
})
