import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { signInKey, strangerPoint } from "../../src/http/signInGate.ts"
import { Browser } from "../support/httpBrowser.ts"
import { origin } from "../support/httpHost.ts"
import { startWorld, type World } from "../support/httpWorld.ts"
import { pushed, signedInBrowser, signIn } from "../support/authorizePages.ts"
import { type App, confidentialApp, makeApp, publicApp } from "../support/oauthApp.ts"

let world: World
let app: App

beforeAll(async () => {
  world = await startWorld({ RATE_LIMITS: "sensitive" })
  app = await publicApp(world)
})
afterAll(() => world.close())

describe("guessing from everywhere", () => {
  it("does not tell whose an email address is", async () => {
    const { did, email, handle } = world.alice
    const request = new Request(origin)
    for (let n = 0; n < 100; n++) await world.beneath(strangerPoint(request, did, 1))
    const answerFor = async (identifier: string, address: string) => {
      const guess = { handle: identifier, password: "wrong" }
      return (await signIn(new Browser(world, address), app, guess)).text
    }
    assert.include(await answerFor(handle, "198.51.100.20"), "Too many attempts")
    assert.include(await answerFor(did, "198.51.100.21"), "Too many attempts")
    const hers = await answerFor(email, "198.51.100.22")
    assert.include(hers, "do not belong together")
    assert.include(
      await answerFor("nobody@mail.example.com", "198.51.100.23"),
      "do not belong together"
    )
  })

  it("is counted for an email address as well, somebody's and nobody's", async () => {
    const request = new Request(origin)
    for (const identifier of [world.bob.email, "stranger@mail.example.com"]) {
      const key = signInKey(identifier)
      for (let n = 0; n < 100; n++) await world.beneath(strangerPoint(request, key, 1))
      const guess = { handle: identifier, password: "wrong" }
      const { text } = await signIn(new Browser(world, "198.51.100.24"), app, guess)
      assert.include(text, "Too many attempts")
    }
  })
})

describe("the pages of a sign-in", () => {
  it("count towards the general limit of an address, and say so", async () => {
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

describe("the form that leads back to an app", () => {
  const policyOf = (headers: Headers) => headers.get("content-security-policy") ?? ""

  it("lets the app's own page lead on to wherever, as apps with a server of their own do", async () => {
    const { app: server } = await confidentialApp(world, "onward")
    const browser = await signedInBrowser(world, app, world.bob)
    const consent = await browser.get((await pushed(server)).path)
    assert.notInclude(policyOf(consent.headers), "form-action")
    const posting = await browser.get((await pushed(server, { response_mode: "form_post" })).path)
    const answer = await browser.post(posting.form("/accept"))
    assert.strictEqual(answer.status, 200)
    assert.notInclude(policyOf(answer.headers), "form-action")
  })

  it("leads to the scheme of an app on the device, and nowhere else", async () => {
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
