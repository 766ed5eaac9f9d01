import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ours } from "../support/http/accountPages.ts"
import { Browser, unescape } from "../support/http/httpBrowser.ts"
import { basic, type Host, startHost } from "../support/http/httpHost.ts"
import { ok, outcomeOf } from "../support/http/httpWorld.ts"

let host: Host

beforeAll(async () => {
  host = await startHost({ INVITE_REQUIRED: "on", HANDLE_DOMAINS: "test" })
})
afterAll(() => host.close())

const invite = async (): Promise<string> => {
  const nsid = "com.atproto.server.createInviteCode"
  return ok(await host.call(nsid, { input: { useCount: 1 }, auth: basic() }))["code"]
}

const password = "a password of one's own"
const signIn = (identifier: string) =>
  host.call("com.atproto.server.createSession", { input: { identifier, password } })

describe("the sign-up page without an app", () => {
  it("the page takes the invite from the link, creates the account and signs it in", async () => {
    const browser = new Browser(host)
    const code = await invite()
    const page = await browser.get(`/account/sign-up?invite=${code}`)
    const form = page.form("/account/sign-up")
    assert.strictEqual(form.fields["invite"], code)
    const planted = [...browser.cookies.values()].join()
    const filled = { name: "mum", email: "mum@mail.example.com", password }
    const inside = await browser.submit(form, filled)
    assert.include(inside.text, "mum.test")
    assert.include(inside.text, "mum@mail.example.com")
    assert.notStrictEqual([...browser.cookies.values()].join(), planted)
    const apps = await browser.get("/account/apps", ours)
    assert.include(apps.text, "No app is signed in with a password.")
    ok(await signIn("mum.test"))
    assert.include((await new Browser(host).get("/account/sign-in")).text, "/account/sign-up")
  })

  it("the page checks the invite of a link when the link opens", async () => {
    const code = await invite()
    const open = () => new Browser(host).get(`/account/sign-up?invite=${code}`)
    const good = await open()
    assert.include(good.text, "Your invite is valid.")
    assert.match(good.text, /<input\s+id="name"[^>]* autofocus/)
    const filled = { name: "invited", email: "invited@mail.example.com", password }
    const other = new Browser(host)
    const form = (await other.get(`/account/sign-up?invite=${code}`)).form("/account/sign-up")
    assert.include((await other.submit(form, filled)).text, "invited.test")
    const used = await open()
    assert.strictEqual(used.status, 200)
    assert.match(used.text, /id="invite-error" role="alert">This invite code is invalid/)
    assert.match(used.text, /<input\s+id="invite"[^>]* autofocus/)
  })

  it("the page shows each error below its field, which has the focus", async () => {
    const code = await invite()
    const good = { name: "zoe", email: "zoe@mail.example.com", password }
    for (const [change, field] of [
      [{ name: "admin" }, "name"],
      [{ email: "nonsense" }, "email"],
      [{ password: "short" }, "password"],
      [{ invite: "nonsense" }, "invite"]
    ] as const) {
      const browser = new Browser(host)
      const form = (await browser.get(`/account/sign-up?invite=${code}`)).form("/account/sign-up")
      const { text } = await browser.submit(form, { ...good, ...change })
      assert.include(text, `id="${field}-error" role="alert"`)
      assert.strictEqual(text.match(/ autofocus/g)?.length, 1)
      const input = new RegExp(`<input\\s+id="${field}"([^>]*)>`).exec(text)?.[1] ?? ""
      assert.match(input, /aria-invalid="true".* autofocus/)
      assert.include(input, `aria-describedby="${field}-error`)
    }
  })

  it("the page names the error and keeps all input but the password", async () => {
    const code = await invite()
    const good = { invite: code, name: "lea", email: "lea@mail.example.com", password }
    for (const [change, said] of [
      [{ invite: "nonsense" }, "invite code is invalid"],
      [{ name: "mum" }, "That handle is taken"],
      [{ name: "Léa M." }, "Use 3–18 letters, digits or hyphens."],
      [{ email: "mum@mail.example.com" }, "address already exists"],
      [{ password: "short" }, "at least 8 characters"]
    ] as const) {
      const browser = new Browser(host)
      const form = (await browser.get("/account/sign-up")).form("/account/sign-up")
      const page = await browser.submit(form, { ...good, ...change })
      assert.strictEqual(page.status, 400)
      assert.include(unescape(page.text), said)
      const { fields } = page.form("/account/sign-up")
      const { name, email } = { ...good, ...change }
      assert.deepStrictEqual([fields["name"], fields["email"]], [name, email])
      assert.strictEqual(fields["password"], "")
    }
  })

  it("a form from another site or without its token creates no account", async () => {
    const browser = new Browser(host)
    const form = (await browser.get("/account/sign-up")).form("/account/sign-up")
    const filled = { invite: await invite(), name: "eve", email: "eve@mail.example.com", password }
    const refused = [
      await browser.post(form, filled, { origin: "https://evil.example" }),
      await browser.post(form, { ...filled, csrf: undefined }),
      await new Browser(host).post(form, filled)
    ]
    assert.deepStrictEqual(
      refused.map(({ status }) => status),
      [403, 403, 403]
    )
    assert.strictEqual(outcomeOf(await signIn("eve.test")), "401 AuthenticationRequired")
  })

  it("the page shows an invite of a link as text", async () => {
    const evil = `"><script>alert(1)</script>`
    const page = await new Browser(host).get(
      `/account/sign-up?${new URLSearchParams({ invite: evil })}`
    )
    assert.notInclude(page.text, evil)
    assert.strictEqual(page.form("/account/sign-up").fields["invite"], evil)
  })
})
