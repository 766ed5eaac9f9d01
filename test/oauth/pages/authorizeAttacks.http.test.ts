import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Devices } from "../../../src/services/oauth/Devices.ts"
import { Browser, unescape } from "../../support/http/httpBrowser.ts"
import { appPassword, startWorld, type World } from "../../support/http/httpWorld.ts"
import { answerTo, pushed, signedInBrowser, signIn } from "../../support/http/authorizePages.ts"
import { type App, confidentialApp, publicApp } from "../../support/http/oauthApp.ts"

let world: World
let app: App

beforeAll(async () => {
  world = await startWorld()
  app = await publicApp(world)
})
afterAll(() => world.close())

const cookieName = "nacre-device"

/** Alice's browser at a consent page. */
const consent = async (fields = {}) => {
  const browser = await signedInBrowser(world, app, world.alice)
  const { path } = await pushed(app, fields)
  return { browser, path, page: await browser.get(path) }
}

describe("a form", () => {
  it("a form from another site does nothing", async () => {
    const { browser, page, path } = await consent()
    for (const headers of [
      { origin: "https://evil.example.com" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "none" }
    ]) {
      for (const action of ["/accept", "/reject"]) {
        const answer = await browser.post(page.form(action), {}, headers)
        assert.strictEqual(answer.status, 403, JSON.stringify(headers))
        assert.isUndefined(answer.location)
      }
    }
    assert.isTrue((await browser.get(path)).has("/accept"))
  })

  it("a form without a token of a page shown on this device does nothing", async () => {
    const { browser, page } = await consent()
    const stranger = new Browser(world)
    const foreign = (await stranger.get((await pushed(app)).path)).form("/sign-in").fields["csrf"]
    for (const csrf of [undefined, "", "x", foreign, `${page.form("/accept").fields["csrf"]}x`]) {
      const answer = await browser.post(page.form("/accept"), { csrf })
      assert.strictEqual(answer.status, 403)
      assert.isUndefined(answer.location)
    }
    assert.strictEqual((await browser.post(page.form("/accept"))).status, 303)
  })

  it("a form from a browser without our cookie does nothing", async () => {
    const { browser, page } = await consent()
    browser.cookies.clear()
    const answer = await browser.post(page.form("/accept"))
    assert.strictEqual(answer.status, 403)
    assert.include(answer.text, "cookie")
  })

  it("a form with a duplicate field, of another type or too large is rejected", async () => {
    const { browser, page } = await consent()
    const { action, fields } = page.form("/accept")
    const body = new URLSearchParams(fields).toString()
    const twice = await browser.send(action, `${body}&account=${world.bob.did}`)
    assert.strictEqual(twice.status, 400)
    const json = { "content-type": "application/json" }
    assert.strictEqual((await browser.send(action, JSON.stringify(fields), json)).status, 415)
    const large = await browser.send(action, `${body}&more=${"x".repeat(101 * 1024)}`)
    assert.strictEqual(large.status, 413)
    assert.strictEqual((await browser.send(action, body)).status, 303)
  })
})

describe("a request", () => {
  it("a request is answered once", async () => {
    const { browser, page } = await consent()
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => browser.post(page.form("/accept")))
    )
    const codes = answers.filter(({ status }) => status === 303)
    assert.strictEqual(codes.length, 1)
    assert.strictEqual((await browser.post(page.form("/reject"))).status, 400)
  })

  it("a request belongs to the browser that opened it first", async () => {
    const { path } = await pushed(app)
    const victim = new Browser(world)
    assert.strictEqual((await victim.get(path)).status, 200)
    const other = await signedInBrowser(world, app, world.bob)
    assert.strictEqual((await other.get(path)).status, 400)
  })

  it("a request is not opened with another client's id, or without being pushed", async () => {
    const { requestUri } = await pushed(app)
    const browser = new Browser(world)
    const other = new URLSearchParams({
      client_id: "https://x.example.com",
      request_uri: requestUri
    })
    assert.strictEqual((await browser.get(`/oauth/authorize?${other}`)).status, 400)
    const plain = new URLSearchParams({ client_id: app.clientId, scope: "atproto", state: "s" })
    const answer = await browser.get(`/oauth/authorize?${plain}`)
    assert.strictEqual(answer.status, 400)
    assert.include(answer.text, "PAR")
  })

  it("a request can't be accepted for an account that isn't signed in on the device", async () => {
    const { browser, page } = await consent()
    const answer = await browser.post(page.form("/accept"), { account: world.bob.did })
    assert.isTrue(answer.location!.startsWith("/oauth/authorize?"))
  })

  it("a request can't be accepted before a new sign-in if the app requires one", async () => {
    const { browser, page } = await consent({ prompt: "login" })
    const fields = { ...page.form("/sign-in").fields, account: world.alice.did }
    const answer = await browser.post({ action: "/oauth/authorize/accept", fields })
    assert.isTrue(answer.location!.startsWith("/oauth/authorize?"))
  })

  it("a request doesn't redirect to an address that the client has withdrawn", async () => {
    const { app: server, metadata } = await confidentialApp(world, "moving")
    const browser = await signedInBrowser(world, app, world.alice)
    const { path } = await pushed(server)
    const page = await browser.get(path)
    assert.isTrue(page.has("/accept"))
    metadata["redirect_uris"] = ["https://moving.example.com/elsewhere"]
    // Client metadata is cached for ten minutes.
    for (let n = 0; n < 2; n++) {
      world.advance(4 * 60_000)
      assert.strictEqual((await browser.get(path)).status, 200)
    }
    world.advance(4 * 60_000)
    const answer = await browser.post(page.form("/accept"))
    assert.strictEqual(answer.status, 400)
    assert.isUndefined(answer.location)
  })
})

describe("a page", () => {
  it("a page opens only as a top-level window", async () => {
    const { browser, path } = await consent()
    for (const headers of [
      { "sec-fetch-dest": "iframe" },
      { "sec-fetch-dest": "empty", "sec-fetch-mode": "cors" },
      { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }
    ]) {
      assert.strictEqual((await browser.get(path, headers)).status, 403)
    }
  })

  it("a page's headers forbid framing, scripts, caching and sharing", async () => {
    const { page, browser, path } = await consent()
    const signInPage = await browser.get(`${path}&page=sign-in`)
    const failure = await browser.get("/oauth/authorize?client_id=x&request_uri=y")
    for (const { headers, status } of [page, signInPage, failure]) {
      const policy = headers.get("content-security-policy") ?? ""
      for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"]) {
        assert.include(policy, part, String(status))
      }
      assert.notInclude(policy, "unsafe")
      assert.strictEqual(headers.get("x-frame-options"), "DENY")
      assert.strictEqual(headers.get("cache-control"), "no-store")
      assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
      assert.strictEqual(headers.get("cross-origin-opener-policy"), "same-origin")
      assert.strictEqual(headers.get("cross-origin-resource-policy"), "same-origin")
      assert.match(headers.get("permissions-policy") ?? "", /camera=\(\).*geolocation=\(\)/)
      assert.strictEqual(headers.get("referrer-policy"), "same-origin")
      assert.isNull(headers.get("access-control-allow-origin"))
    }
    assert.match(signInPage.headers.get("content-security-policy")!, /form-action 'self';/)
    assert.match(page.headers.get("content-security-policy")!, /script-src 'sha256-[^' ]+';/)
  })

  it("a page shows a client's own name as text, and marks it", async () => {
    const { app: server, metadata } = await confidentialApp(world, "evil")
    metadata["client_name"] = `<script>alert(1)</script>"><img src=x>\u202egnp.`
    const browser = await signedInBrowser(world, app, world.alice)
    const page = await browser.get((await pushed(server)).path)
    assert.notInclude(page.text, "<script>alert")
    assert.notInclude(page.text, "<img src=x")
    assert.notInclude(page.text, "\u202e")
    assert.include(unescape(page.text), "We haven’t verified that name")
    assert.include(unescape(page.text), server.clientId)
  })

  it("a page shows typed, requested and chosen values as text", async () => {
    const bad = `"><script>alert(1)</script>`
    const browser = new Browser(world)
    const { path } = await pushed(app)
    const page = await browser.get(`${path}&account=${encodeURIComponent(bad)}&page=${bad}`)
    const filled = { identifier: bad, password: bad }
    const again = await browser.submit(page.form("/sign-in"), filled)
    const signUp = await browser.get(`${path}&page=sign-up`)
    const refused = await browser.submit(signUp.form("/sign-up"), {
      name: bad,
      email: bad,
      invite: bad,
      password: bad
    })
    for (const { text } of [page, again, refused]) assert.notInclude(text, "<script>alert")
    assert.strictEqual(again.form("/sign-in").fields["identifier"], bad)
    assert.strictEqual(refused.form("/sign-up").fields["email"], bad)
  })

  it("a page never repeats a password", async () => {
    const browser = new Browser(world)
    const { path } = await pushed(app)
    const page = await browser.get(path)
    const password = "a password that is wrong"
    const again = await browser.submit(page.form("/sign-in"), {
      identifier: world.alice.handle,
      password
    })
    assert.notInclude(again.text, password)
  })
})

describe("a sign-in", () => {
  it("a sign-in changes the device's cookie, which makes a planted one useless", async () => {
    const attacker = new Browser(world)
    const { path } = await pushed(app)
    const page = await attacker.get(path)
    const planted = attacker.cookies.get(cookieName)!
    const victim = new Browser(world)
    victim.cookies.set(cookieName, planted)
    const { handle, password } = world.alice
    const after = await victim.submit(page.form("/sign-in"), { identifier: handle, password })
    assert.isTrue(after.has("/accept"))
    assert.notStrictEqual(victim.cookies.get(cookieName), planted)
    const old = await attacker.get((await pushed(app)).path)
    assert.isFalse(old.has("/accept"))
    assert.notInclude(old.text, handle)
  })

  it("a failed sign-in looks the same for a name without an account", async () => {
    const browser = new Browser(world)
    const textOf = async (identifier: string) => {
      const page = await browser.get((await pushed(app)).path)
      const { status, text } = await browser.submit(page.form("/sign-in"), {
        identifier,
        password: "wrong"
      })
      return `${status} ${/<div class="note[\s\S]*?<\/div>/.exec(text)?.[0]}`
    }
    const known = await textOf(world.alice.handle)
    assert.strictEqual(await textOf("nobody.test"), known)
    assert.strictEqual(await textOf("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"), known)
    assert.include(known, "400")
  })

  it("a sign-in accepts the account's own password and never an app password", async () => {
    const password = await appPassword(world, world.bob.did, "pages", true)
    const page = await signIn(new Browser(world), app, { handle: world.bob.handle, password })
    assert.strictEqual(page.status, 400)
    assert.include(unescape(page.text), "App passwords don’t work here")
  })

  it("the response to the app contains nothing about the device", async () => {
    const { browser, page } = await consent()
    const back = await browser.post(page.form("/accept"))
    const names = [...answerTo(back.location).keys()].toSorted()
    assert.deepStrictEqual(names, ["code", "iss", "state"])
    assert.isNull(back.headers.get("set-cookie"))
  })

  it("a request doesn't continue for an account that was signed out elsewhere", async () => {
    const { browser, page } = await consent()
    await world.beneath(Effect.flatMap(Devices, (devices) => devices.signOutAll(world.alice.did)))
    const answer = await browser.submit(page.form("/accept"))
    assert.isTrue(answer.has("/sign-in"))
    assert.isFalse(answer.has("/accept"))
  })
})
