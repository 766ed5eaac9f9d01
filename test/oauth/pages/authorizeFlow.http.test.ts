import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ours } from "../../support/http/accountPages.ts"
import { Browser, unescape } from "../../support/http/httpBrowser.ts"
import { origin } from "../../support/http/httpHost.ts"
import { ok, startWorld, type World } from "../../support/http/httpWorld.ts"
import { answerTo, pushed, signedInBrowser, signIn } from "../../support/http/authorizePages.ts"
import { type App, confidentialApp, publicApp } from "../../support/http/oauthApp.ts"
import { pastedForms, writtenForms } from "../../support/writtenNames.ts"

let world: World
let app: App

beforeAll(async () => {
  world = await startWorld()
  app = await publicApp(world, "atproto transition:generic")
})
afterAll(() => world.close())

describe("the pages of a pushed request", () => {
  it("the pages go from sign-in over consent back to the app, whose code opens a session", async () => {
    const browser = new Browser(world)
    const { path, verifier } = await pushed(app, { state: "of the app" })
    const first = await browser.get(path)
    assert.strictEqual(first.status, 200)
    const { handle, password, did } = world.alice
    const consent = await browser.submit(first.form("/sign-in"), { identifier: handle, password })
    assert.include(unescape(consent.text), app.clientId)
    assert.include(consent.text, handle)
    const back = await browser.post(consent.form("/accept"))
    assert.strictEqual(back.status, 303)
    assert.isTrue(back.location!.startsWith(`${app.redirectUri}?`))
    const answer = answerTo(back.location)
    assert.deepStrictEqual([answer.get("iss"), answer.get("state")], [origin, "of the app"])
    const tokens = ok(
      await app.post("/oauth/token", {
        grant_type: "authorization_code",
        code: answer.get("code")!,
        redirect_uri: app.redirectUri,
        code_verifier: verifier
      })
    )
    assert.strictEqual(tokens["sub"], did)
  })

  it("the sign-in page also accepts an email address or a DID", async () => {
    const { did, email, password } = world.alice
    for (const handle of [did, email, email.toUpperCase(), `@${world.alice.handle}`]) {
      const page = await signIn(new Browser(world), app, { handle, password })
      assert.isTrue(page.has("/accept"), handle)
    }
  })

  it("the pages return access_denied from consent and from sign-in alike", async () => {
    const browser = new Browser(world)
    const consent = await signIn(browser, app, world.alice)
    const back = await browser.post(consent.form("/reject"))
    assert.strictEqual(back.status, 303)
    assert.strictEqual(answerTo(back.location).get("error"), "access_denied")
    const fresh = new Browser(world)
    const { path } = await pushed(app)
    const left = await fresh.post((await fresh.get(path)).form("/reject"))
    assert.strictEqual(left.status, 200)
    assert.match(
      left.text,
      /<meta http-equiv="refresh" content="0;url=http:[^"]*error=access_denied/
    )
    assert.strictEqual((await fresh.get(path)).status, 400)
  })

  it("a signed-in account goes straight to consent, which names it and offers others", async () => {
    const browser = await signedInBrowser(world, app, world.alice)
    const { path } = await pushed(app)
    const page = await browser.get(path)
    assert.isTrue(page.has("/accept"))
    const other = await browser.get(`${path}&page=sign-in`)
    const { handle, password } = world.bob
    const bob = await browser.submit(other.form("/sign-in"), { identifier: handle, password })
    assert.include(bob.text, handle)
    const { path: again } = await pushed(app)
    const chooser = await browser.get(again)
    assert.include(chooser.text, world.alice.handle)
    assert.include(chooser.text, world.bob.handle)
    assert.isFalse(chooser.has("/accept"))
    const chosen = await browser.get(`${again}&account=${encodeURIComponent(world.bob.did)}`)
    assert.strictEqual(chosen.form("/accept").fields["account"], world.bob.did)
  })

  it("prompt=select_account shows the chooser, prompt=login the sign-in, prompt=create the sign-up", async () => {
    const browser = await signedInBrowser(world, app, world.alice)
    const choose = await browser.get((await pushed(app, { prompt: "select_account" })).path)
    assert.include(choose.text, "Choose an account")
    const login = await browser.get((await pushed(app, { prompt: "login" })).path)
    assert.isFalse(login.has("/accept"))
    assert.strictEqual(login.form("/sign-in").fields["identifier"], world.alice.handle)
    const proven = await browser.submit(login.form("/sign-in"), { password: world.alice.password })
    assert.isTrue(proven.has("/accept"))
    const create = await browser.get((await pushed(app, { prompt: "create" })).path)
    assert.isTrue(create.has("/sign-up"))
  })

  it("the sign-in page locks the account that the app requests", async () => {
    const browser = await signedInBrowser(world, app, world.alice)
    const { path } = await pushed(app, { login_hint: world.bob.handle })
    const page = await browser.get(`${path}&account=${encodeURIComponent(world.alice.did)}`)
    assert.match(page.text, new RegExp(`value="${world.bob.handle}"[^>]* readonly`))
    const { handle, password } = world.alice
    const refused = await browser.submit(page.form("/sign-in"), { identifier: handle, password })
    assert.isFalse(refused.has("/accept"))
    assert.include(refused.text, "asked for another account")
    const own = await browser.submit(refused.form("/sign-in"), { password: world.bob.password })
    assert.strictEqual(own.form("/accept").fields["account"], world.bob.did)
    assert.notInclude(own.text, "Use another")
  })

  it("the sign-in page shows the requested account's handle, however the app names it", async () => {
    const { did, handle, password } = world.bob
    for (const hint of [...writtenForms(handle), ...pastedForms(did)]) {
      const browser = new Browser(world)
      const page = await browser.get((await pushed(app, { login_hint: hint })).path)
      assert.strictEqual(page.form("/sign-in").fields["identifier"], handle, hint)
      assert.match(page.text, /readonly/)
      if (hint !== did) continue
      const consent = await browser.submit(page.form("/sign-in"), { password })
      assert.strictEqual(consent.form("/accept").fields["account"], did)
    }
    const stranger = { login_hint: "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa" }
    const unknown = await new Browser(world).get((await pushed(app, stranger)).path)
    assert.strictEqual(unknown.form("/sign-in").fields["identifier"] ?? "", "")
  })

  it("the sign-in page accepts a handle in any pasted form", async () => {
    const { did, handle, password } = world.bob
    for (const identifier of writtenForms(handle)) {
      const page = await signIn(new Browser(world), app, { handle: identifier, password })
      assert.strictEqual(page.form("/accept").fields["account"], did, identifier)
    }
  })

  it("the sign-in page doesn't reveal whose an email address is", async () => {
    const browser = new Browser(world)
    const known = await browser.get((await pushed(app, { login_hint: world.bob.email })).path)
    const email = "nobody.at.all@mail.example.com"
    const unknown = await browser.get((await pushed(app, { login_hint: email })).path)
    const shape = (text: string) =>
      text
        .replaceAll(world.bob.email, email)
        .replace(/value="[^"]*"|data-options="[^"]*"|href="[^"]*"/g, "")
    assert.strictEqual(shape(known.text), shape(unknown.text))
    assert.notInclude(known.text, world.bob.handle)
  })

  it("the pages require the password again a week after it was entered", async () => {
    const other = await startWorld()
    const its = await publicApp(other)
    const browser = await signedInBrowser(other, its, other.alice)
    other.advance(6 * 86_400_000)
    assert.isTrue((await browser.get((await pushed(its)).path)).has("/accept"))
    other.advance(86_400_000 + 1000)
    const page = await browser.get((await pushed(its)).path)
    assert.isFalse(page.has("/accept"))
    assert.strictEqual(page.form("/sign-in").fields["identifier"], other.alice.handle)
    await other.close()
  })

  it("the pages forget an account that isn't remembered after a quarter of an hour", async () => {
    const other = await startWorld()
    const its = await publicApp(other)
    const browser = new Browser(other)
    const page = await browser.get((await pushed(its)).path)
    const { handle, password } = other.alice
    const filled = { identifier: handle, password, remember: undefined }
    assert.isTrue((await browser.submit(page.form("/sign-in"), filled)).has("/accept"))
    assert.isTrue((await browser.get((await pushed(its)).path)).has("/accept"))
    other.advance(16 * 60_000)
    const later = await browser.get((await pushed(its)).path)
    assert.notInclude(later.text, handle)
    await other.close()
  })

  it("a request expires five minutes after the user's last step, and the page says so", async () => {
    const other = await startWorld()
    const its = await publicApp(other)
    const browser = new Browser(other)
    const { path } = await pushed(its)
    for (let n = 0; n < 3; n++) {
      assert.strictEqual((await browser.get(path)).status, 200)
      other.advance(4 * 60_000)
    }
    other.advance(2 * 60_000)
    const over = await browser.get(path)
    assert.strictEqual(over.status, 400)
    assert.include(over.text, "took too long")
    await other.close()
  })

  it("the response is in the fragment or in a form if the app requests that", async () => {
    const browser = await signedInBrowser(world, app, world.alice)
    const fragment = await browser.get((await pushed(app, { response_mode: "fragment" })).path)
    const back = await browser.post(fragment.form("/accept"))
    assert.isTrue(back.location!.startsWith(`${app.redirectUri}#`))
    assert.isString(answerTo(back.location).get("code"))
    const asked = await pushed(app, { response_mode: "form_post", state: `"><b>` })
    const page = await browser.get(asked.path)
    const form = (await browser.post(page.form("/accept"))).form("/callback")
    assert.strictEqual(form.action, app.redirectUri)
    assert.deepStrictEqual(Object.keys(form.fields).toSorted(), ["code", "iss", "state"])
    assert.strictEqual(form.fields["state"], `"><b>`)
  })
})

describe("a confidential client", () => {
  it("a confidential client needs consent only for what is new", async () => {
    const scope = "atproto transition:generic transition:email"
    const { app: server } = await confidentialApp(world, "trusted", scope)
    const less = { scope: "atproto transition:generic" }
    const browser = new Browser(world)
    const consent = await signIn(browser, server, world.bob, less)
    assert.strictEqual((await browser.post(consent.form("/accept"))).status, 303)
    const passed = await browser.get((await pushed(server, less)).path)
    assert.match(passed.text, /http-equiv="refresh" content="0;url=https:\/\/trusted[^"]*code=/)
    assert.isTrue((await browser.get((await pushed(server)).path)).has("/accept"))
    const asked = await pushed(server, { ...less, prompt: "consent" })
    assert.isTrue((await browser.get(asked.path)).has("/accept"))
  })

  it("a confidential client gets a response without a page if it requests none", async () => {
    const { app: server } = await confidentialApp(world, "silent")
    const none = { prompt: "none" }
    const errorOf = async (browser: Browser, fields = {}) => {
      const { status, location } = await browser.get(
        (await pushed(server, { ...none, ...fields })).path
      )
      assert.strictEqual(status, 303)
      return answerTo(location).get("error")
    }
    assert.strictEqual(await errorOf(new Browser(world)), "login_required")
    const browser = await signedInBrowser(world, app, world.alice)
    assert.strictEqual(await errorOf(browser), "consent_required")
    const page = await browser.get((await pushed(server)).path)
    await browser.post(page.form("/accept"))
    assert.isNull(await errorOf(browser))
    assert.strictEqual(await errorOf(browser, { login_hint: world.bob.handle }), "login_required")
    await signIn(browser, app, world.bob, { login_hint: world.bob.handle })
    assert.strictEqual(await errorOf(browser), "account_selection_required")
    assert.isNull(await errorOf(browser, { login_hint: world.alice.handle }))
  })

  it("the account's page says on which browser and from where an app was let in", async () => {
    const browser = await signedInBrowser(world, app, world.bob)
    const { path, verifier } = await pushed(app)
    const consent = await browser.get(path)
    const back = await browser.post(consent.form("/accept"))
    ok(
      await app.post("/oauth/token", {
        grant_type: "authorization_code",
        code: answerTo(back.location).get("code")!,
        redirect_uri: app.redirectUri,
        code_verifier: verifier
      })
    )
    const { text } = await browser.get("/account/apps", ours)
    assert.match(
      text,
      /Connected on [^,]+, \d\d:\d\d UTC, with Tests\/1\.0\. Last active just now\./
    )
  })

  it("a public client needs consent each time", async () => {
    const browser = await signedInBrowser(world, app, world.alice)
    for (let n = 0; n < 2; n++) {
      const page = await browser.get((await pushed(app)).path)
      assert.strictEqual((await browser.post(page.form("/accept"))).status, 303)
    }
  })
})

describe("an account that is not active", () => {
  it("an owner reactivates a deactivated account before an app may use it", async () => {
    const browser = new Browser(world)
    const page = await signIn(browser, app, world.dora)
    assert.isFalse(page.has("/accept"))
    const refused = await browser.submit({
      action: "/oauth/authorize/accept",
      fields: page.form("/reactivate").fields
    })
    assert.isFalse(refused.has("/accept"))
    const consent = await browser.submit(page.form("/reactivate"))
    assert.isTrue(consent.has("/accept"))
    assert.strictEqual((await browser.post(consent.form("/accept"))).status, 303)
  })

  it("a taken-down account can't sign in", async () => {
    const page = await signIn(new Browser(world), app, world.carol)
    assert.strictEqual(page.status, 400)
    assert.include(page.text, "taken down")
    assert.isFalse(page.has("/accept"))
  })
})
