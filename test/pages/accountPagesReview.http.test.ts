import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { keepSignedIn } from "../../src/http/pages/signInAttempt.ts"
import { Devices } from "../../src/services/oauth/Devices.ts"
import {
  ask,
  browserOf,
  connect,
  enter,
  ours,
  withAuthenticator
} from "../support/http/accountPages.ts"
import { origin } from "../support/http/httpHost.ts"
import { pushed } from "../support/http/authorizePages.ts"
import { Browser, unescape } from "../support/http/httpBrowser.ts"
import { publicApp } from "../support/http/oauthApp.ts"
import { type Person, signUp, startWorld, type World } from "../support/http/httpWorld.ts"

let world: World
let count = 0

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const somebody = (): Promise<Person> => signUp(world, `person${(count += 1)}`)

const changePassword = (did: string) =>
  ask(world, did, "changePassword", { password: "another password" })

describe("a changed password", () => {
  it("a new password ends sign-ins that wait for their code", async () => {
    const person = await somebody()
    const { recoveryCodes } = await withAuthenticator(world, person.did)
    const browser = new Browser(world)
    const step = await enter(browser, person)
    await changePassword(person.did)
    const late = await browser.submit(step.form("/code"), { code: recoveryCodes[0]! })
    assert.strictEqual(late.status, 400)
    assert.include(late.text, "Your password has changed since then")
    assert.isTrue(late.has("/account/sign-in"))
    assert.strictEqual((await ask(world, person.did, "security")).recoveryCodesLeft, 10)
    assert.strictEqual((await browser.get("/account")).location, "/account/sign-in")
  })

  it("a new password rejects a sign-in with the old one in flight", async () => {
    const { did, password } = await somebody()
    const browser = new Browser(world)
    await browser.get("/account/sign-in")
    const [, device = ""] = [...browser.cookies.values()][0]!.split(".")
    const proven = await ask(world, did, "provePassword", { password })
    await changePassword(did)
    const { isIn } = await world.beneath(keepSignedIn(device, proven, true))
    assert.isFalse(isIn)
    const devices = await world.beneath(Effect.flatMap(Devices, (all) => all.ofAccount(did)))
    assert.deepStrictEqual(devices, [])
  })
})

describe("an outdated page", () => {
  it("an outdated page links to itself, and its form changes nothing", async () => {
    const person = await somebody()
    const browser = await browserOf(world, person)
    const { path } = await pushed(await publicApp(world))
    const pages = [
      { form: (await browser.get("/account", ours)).form("/sign-out"), has: "/sign-out" },
      { form: (await browser.get(path)).form("/accept"), has: "/accept" }
    ]
    // Another tab signs in again, which gives the browser a new cookie.
    await enter(browser, person)
    for (const { form, has } of pages) {
      const late = await browser.post(form)
      assert.strictEqual(late.status, 403)
      assert.include(late.text, "Nothing was changed")
      const link = /<a class="button quiet" href="([^"]*)"/.exec(late.text)?.[1] ?? ""
      assert.match(link, /^\/(account|oauth\/authorize)/)
      assert.isTrue((await browser.get(unescape(link))).has(has))
    }
  })

  it("an outdated page links only to itself, whatever its form holds", async () => {
    const browser = await browserOf(world, await somebody())
    for (const fields of [
      { client_id: "https://evil.example.com", request_uri: "//evil.example.com" },
      { client_id: `"><script>alert(1)</script>`, request_uri: "" }
    ]) {
      const { status, text } = await browser.post({ action: "/oauth/authorize/accept", fields })
      assert.strictEqual(status, 403)
      assert.match(text, /href="\/oauth\/authorize\?client_id=/)
      assert.notInclude(text, "<script>alert")
    }
  })
})

describe("a local server", () => {
  it("a local server redirects from its other names to its own", async () => {
    const headers = { accept: "text/html", "sec-fetch-mode": "navigate" }
    const answer = await world.handler(
      new Request("http://127.0.0.1:8787/account/sign-in?to=apps", { headers })
    )
    assert.strictEqual(answer.status, 421)
    const page = await answer.text()
    assert.include(page, `href="${origin}/account/sign-in?to=apps"`)
    assert.include(page, `Go to ${new URL(origin).host}`)
  })
})

describe("arbitrary input", () => {
  const texts = {
    "very long": "a".repeat(60_000),
    "very long and an address": `${"a".repeat(60_000)}@example.com`,
    "a very long DID": `did:plc:${"a".repeat(60_000)}`,
    "turned around": "\u202emoc.elpmaxe",
    "without sense": "\ud800\u0000%00%",
    SQL: `' OR 1=1 --`
  }

  it("any input at sign-in is rejected in plain words", async () => {
    const browser = new Browser(world)
    for (const [what, text] of Object.entries(texts)) {
      const form = (await browser.get("/account/sign-in")).form("/sign-in")
      for (const filled of [
        { identifier: text, password: "x" },
        { identifier: world.alice.handle, password: text }
      ]) {
        const { status, text: shown } = await browser.post(form, filled)
        assert.strictEqual(status, 400, what)
        assert.include(shown, "Wrong username or password", what)
      }
    }
  })

  it("any input for a code, name or id is rejected or cut, and breaks nothing", async () => {
    const person = await somebody()
    await withAuthenticator(world, person.did)
    const stranger = new Browser(world)
    const step = (await enter(stranger, person)).form("/code")
    const browser = await browserOf(world, await somebody())
    const form = (await browser.get("/account/app-password", ours)).form("/app-password")
    for (const [what, text] of Object.entries(texts)) {
      assert.strictEqual((await stranger.post(step, { code: text })).status, 400, what)
      assert.strictEqual((await browser.post(form, { name: `${what} ${text}` })).status, 200, what)
      for (const [name, field] of [
        ["passkeys/rename", "passkey"],
        ["passkeys/remove", "passkey"],
        ["devices/sign-out", "device"],
        ["apps/disconnect", "session"],
        ["apps/revoke-password", "name"]
      ] as const) {
        const fields = { ...form.fields, [field]: text }
        const answer = await browser.post({ action: `/account/${name}`, fields })
        assert.strictEqual(answer.status, 303, `${name} ${what}`)
      }
    }
    const list = await browser.get("/account/apps", ours)
    assert.strictEqual(list.status, 200)
  })
})

describe("the pages of an account", () => {
  it("the apps page lists an app once, with each of its sessions", async () => {
    const person = await somebody()
    const sessions = [await connect(world, person.did), await connect(world, person.did)]
    const browser = await browserOf(world, person)
    const page = await browser.get("/account/apps", ours)
    assert.strictEqual(page.text.split("<strong>app.example.com</strong>").length, 2)
    assert.include(page.text, "Signed in on 2 devices")
    for (const id of sessions) assert.include(page.text, `value="${id}"`)
    assert.include((await browser.get("/account", ours)).text, "1 app,")
  })

  it("pages offer to switch between several accounts, or to add another to one", async () => {
    const browser = await browserOf(world, await somebody())
    const alone = await browser.get("/account", ours)
    assert.notInclude(alone.text, "/account/switch")
    assert.include(alone.text, 'href="/account/sign-in"')
    const both = await enter(browser, await somebody())
    assert.include(both.text, 'href="/account/switch"')
  })

  it("every button of a page has a type", async () => {
    const browser = await browserOf(world, await somebody())
    for (const page of ["", "/security", "/password", "/passkey", "/apps", "/devices"]) {
      const { text } = await browser.get(`/account${page}`, ours)
      assert.include(text, "<button")
      assert.notMatch(text, /<button(?![^>]* type="(?:submit|button)")/)
    }
  })
})

describe("the consent page of an app on this device", () => {
  it("the consent page of an app on this device shows its redirect URI", async () => {
    const app = await publicApp(world)
    const browser = await browserOf(world, await somebody())
    const { text } = await browser.get((await pushed(app)).path)
    assert.include(text, `<code>${app.redirectUri}</code>`)
  })
})
