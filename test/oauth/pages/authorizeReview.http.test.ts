import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Browser } from "../../support/http/httpBrowser.ts"
import { startWorld, type World } from "../../support/http/httpWorld.ts"
import { pushed, signedInBrowser, signIn } from "../../support/http/authorizePages.ts"
import { type App, confidentialApp, makeApp, publicApp } from "../../support/http/oauthApp.ts"

let world: World
let app: App

beforeAll(async () => {
  world = await startWorld({ RATE_LIMITS: "sensitive" })
  app = await publicApp(world)
})
afterAll(() => world.close())

/** Guesses a password over XRPC, which counts together with guesses on the pages. */
const guess = async (identifier: string, address: string) => {
  const { status } = await world.call("com.atproto.server.createSession", {
    input: { identifier, password: "wrong" },
    headers: { "cf-connecting-ip": address }
  })
  return status
}

describe("password guesses", () => {
  it("guesses from many addresses don't lock out an owner with a new browser", async () => {
    const { handle, password } = world.alice
    const addresses = Array.from({ length: 110 }, (_, n) => `198.51.100.${n}`)
    const guesses = await Promise.all(addresses.map((address) => guess(handle, address)))
    assert.deepStrictEqual([...new Set(guesses)], [401])
    const page = await signIn(new Browser(world, "203.0.113.1"), app, { handle, password })
    assert.isTrue(page.has("/accept"))
  })

  it("guesses by handle, DID and @handle count as one account, and an email address on its own", async () => {
    const { did, email, handle } = world.bob
    const names = [handle, did, `@${handle}`, `at://${did}`, `\u202a${handle}\u202c`]
    const address = "203.0.113.2"
    const first = Array.from({ length: 6 }, () => names.map((name) => guess(name, address)))
    assert.deepStrictEqual([...new Set(await Promise.all(first.flat()))], [401])
    for (const name of names) assert.strictEqual(await guess(name, address), 429)
    const page = await signIn(new Browser(world, address), app, { handle, password: "wrong" })
    assert.include(page.text, "Too many attempts")
    // Otherwise a rejection would reveal whose address it is.
    assert.strictEqual(await guess(email, address), 401)
    assert.strictEqual(await guess("nobody@mail.example.com", address), 401)
  })
})

describe("the pages of a sign-in", () => {
  it("requests to the pages count towards an address's general limit, and the page says so", async () => {
    const host = await startWorld({ RATE_LIMITS: "on" })
    const its = await publicApp(host)
    const browser = new Browser(host, "198.51.100.30")
    const { path } = await pushed(its)
    const page = await browser.get(path)
    for (let n = 1; n < 3000; n++) {
      await host.ask("/.well-known/oauth-authorization-server", {
        headers: { "cf-connecting-ip": "198.51.100.30" }
      })
    }
    for (const answer of [await browser.get(path), await browser.post(page.form("/reject"))]) {
      assert.strictEqual(answer.status, 429)
      assert.include(answer.text, "Too many attempts")
      assert.isNotNull(answer.headers.get("retry-after"))
    }
    assert.strictEqual((await new Browser(host, "198.51.100.31").get(path)).status, 400)
    await host.close()
  })
})

describe("the form that returns to an app", () => {
  const policyOf = (headers: Headers) => headers.get("content-security-policy") ?? ""

  it("the form allows the app's page to redirect anywhere, as apps with a server do", async () => {
    const { app: server } = await confidentialApp(world, "onward")
    const browser = await signedInBrowser(world, app, world.bob)
    const consent = await browser.get((await pushed(server)).path)
    assert.notInclude(policyOf(consent.headers), "form-action")
    const posting = await browser.get((await pushed(server, { response_mode: "form_post" })).path)
    const answer = await browser.post(posting.form("/accept"))
    assert.strictEqual(answer.status, 200)
    assert.notInclude(policyOf(answer.headers), "form-action")
  })

  it("the form allows only the scheme of an app on the device", async () => {
    const { metadata } = await confidentialApp(world, "native")
    Object.assign(metadata, {
      application_type: "native",
      redirect_uris: ["com.example.native:/callback"],
      token_endpoint_auth_method: "none",
      jwks_uri: undefined
    })
    const native = await makeApp(world, {
      clientId: "https://native.example.com/client-metadata.json",
      redirectUri: "com.example.native:/callback",
      scope: "atproto"
    })
    const browser = await signedInBrowser(world, app, world.bob)
    const consent = await browser.get((await pushed(native)).path)
    assert.match(policyOf(consent.headers), /form-action 'self' com\.example\.native:;/)
  })
})
