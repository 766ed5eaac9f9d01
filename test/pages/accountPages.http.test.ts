import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Devices } from "../../src/services/oauth/Devices.ts"
import {
  ask,
  browserOf,
  connect,
  enter,
  ours,
  withAuthenticator
} from "../support/http/accountPages.ts"
import { Browser } from "../support/http/httpBrowser.ts"
import { basic, bearer, origin } from "../support/http/httpHost.ts"
import {
  ok,
  outcomeOf,
  type Person,
  session,
  signUp,
  startWorld,
  takeDown,
  type World
} from "../support/http/httpWorld.ts"

let world: World
let count = 0

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const somebody = (): Promise<Person> => signUp(world, `person${(count += 1)}`)

const devicesOf = (did: string) =>
  world.beneath(Effect.flatMap(Devices, (devices) => devices.ofAccount(did)))

const iphone =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"

describe("signing in to the account pages", () => {
  it("a browser without a session signs in first, and then gets the requested page", async () => {
    const { did, handle, password } = await somebody()
    const browser = new Browser(world)
    for (const page of ["", "/security", "/password", "/apps", "/devices", "/switch", "/confirm"]) {
      const { status, location } = await browser.get(`/account${page}`)
      assert.strictEqual(status, 303, page)
      assert.match(location ?? "", /^\/account\/sign-in/)
    }
    assert.strictEqual(browser.cookies.size, 1)
    const { location = "" } = await browser.get("/account/password")
    const form = (await browser.get(location)).form("/sign-in")
    const wrong = await browser.submit(form, { identifier: handle, password: "not that" })
    assert.strictEqual(wrong.status, 400)
    assert.include(wrong.text, "Wrong username or password")
    const cookies = [...browser.cookies.values()]
    const right = await browser.post(wrong.form("/sign-in"), { password })
    assert.strictEqual(right.location, `/account/password?${new URLSearchParams({ account: did })}`)
    assert.notDeepEqual([...browser.cookies.values()], cookies)
    assert.isTrue((await browser.get(right.location ?? "")).has("/account/password"))
  })

  it("sign-in asks for a code if an authenticator is on", async () => {
    const person = await somebody()
    const { recoveryCodes } = await withAuthenticator(world, person.did)
    const browser = new Browser(world)
    const step = await enter(browser, person, "apps")
    assert.strictEqual((await browser.get("/account")).location, "/account/sign-in")
    const wrong = await browser.submit(step.form("/code"), { code: "nothing" })
    assert.strictEqual(wrong.status, 400)
    const right = await browser.submit(wrong.form("/code"), { code: recoveryCodes[0]! })
    assert.include(right.text, "Connected apps")
  })

  it("sign-in redirects only to pages of the account", async () => {
    for (const to of ["https://evil.example.com", "//evil.example.com", "nothing", "__proto__"]) {
      const { handle, password } = world.alice
      const browser = new Browser(world)
      const page = await browser.get(`/account/sign-in?${new URLSearchParams({ to })}`)
      const { location } = await browser.post(page.form("/sign-in"), {
        identifier: handle,
        password,
        to
      })
      assert.match(location ?? "", /^\/account\?account=/)
    }
  })

  it("a session that the device doesn't remember lasts 15 minutes", async () => {
    const browser = new Browser(world)
    await enter(browser, world.alice, "", { remember: undefined })
    assert.strictEqual((await browser.get("/account")).status, 200)
    world.advance(15 * 60_000 + 1)
    assert.strictEqual((await browser.get("/account")).location, "/account/sign-in")
  })

  it("with several accounts on a device the visitor chooses one, and each page keeps it", async () => {
    const [one, two] = [await somebody(), await somebody()]
    const browser = await browserOf(world, one)
    await enter(browser, two)
    const choice = await browser.get("/account/devices")
    assert.include(choice.text, one.handle)
    assert.include(choice.text, two.handle)
    for (const { did, email } of [one, two]) {
      const path = `/account?${new URLSearchParams({ account: did })}`
      const { text } = await browser.get(path)
      assert.include(text, email)
      assert.include(text, `/account/apps?${new URLSearchParams({ account: did })}`)
    }
    const named = `/account/apps?${new URLSearchParams({ account: one.did })}`
    const left = await browser.submit((await browser.get(named)).form("/sign-out"))
    assert.include(left.text, two.email)
    assert.include(left.text, "signed out on this device")
  })

  it("a taken-down account can't open its pages, not even with an older session", async () => {
    const person = await somebody()
    const browser = await browserOf(world, person)
    const form = (await browser.get("/account/apps", ours)).form("/sign-out")
    await takeDown(world, person.did, "takendown")
    assert.strictEqual((await browser.get("/account")).status, 403)
    assert.strictEqual((await browser.post(form)).status, 403)
    const again = await enter(new Browser(world), person)
    assert.strictEqual(again.status, 400)
    assert.include(again.text, "taken down")
  })

  it("the pages of a deactivated account offer to reactivate it", async () => {
    const person = await somebody()
    ok(await world.call("com.atproto.server.deactivateAccount", { input: {}, auth: person.auth }))
    const browser = await browserOf(world, person)
    const page = await browser.get("/account", ours)
    const after = await browser.submit(page.form("/reactivate"))
    assert.include(after.text, "active again")
    assert.isFalse(after.has("/reactivate"))
    assert.isUndefined((await ask(world, person.did, "owner")).status)
  })
})

describe("the devices", () => {
  it("the page lists devices in plain words, marks this one, and signs out one or all others", async () => {
    const person = await somebody()
    const browser = await browserOf(world, person)
    const phone = new Browser(world, "198.51.100.7")
    await phone.get("/account/sign-in", { "user-agent": iphone })
    await enter(phone, person)
    const third = await browserOf(world, person)
    const page = await browser.get("/account/devices", ours)
    assert.include(page.text, "Safari on iPhone")
    assert.include(page.text, "198.51.100.7")
    assert.strictEqual(page.text.split("This device").length, 2)
    const [newest] = await devicesOf(person.did)
    assert.isDefined(newest)
    const out = await browser.submit(page.form("/devices/sign-out"), {
      device: [...phone.cookies.values()][0]!.split(".")[1]!
    })
    assert.include(out.text, "That device is signed out")
    assert.strictEqual((await phone.get("/account")).location, "/account/sign-in")
    assert.strictEqual((await third.get("/account")).status, 200)
    await browser.submit(out.form("/devices/sign-out-others"))
    assert.strictEqual((await third.get("/account")).location, "/account/sign-in")
    assert.strictEqual((await devicesOf(person.did)).length, 1)
    const last = await browser.get("/account/devices", ours)
    const gone = await browser.submit(last.form("/devices/sign-out"))
    assert.include(gone.text, "signed out on this device")
    assert.strictEqual((await devicesOf(person.did)).length, 0)
  })
})

describe("the apps", () => {
  it("the page lists apps with their client id and permissions, and disconnects them", async () => {
    const person = await somebody()
    const kept = await connect(world, person.did, {
      clientId: "http://localhost?scope=atproto",
      granted: "atproto transition:generic"
    })
    const ended = await connect(world, person.did)
    const browser = await browserOf(world, person)
    const page = await browser.get("/account/apps", ours)
    assert.include(page.text, "<strong>app.example.com</strong>")
    assert.include(page.text, "https://app.example.com/client.json")
    assert.include(page.text, "posts")
    assert.include(page.text, "An app on one of your devices")
    assert.include(page.text, "Use your account almost like you")
    const after = await browser.submit(page.form("/apps/disconnect"), { session: ended })
    assert.include(after.text, "App disconnected")
    const { apps } = await ask(world, person.did, "security")
    assert.deepStrictEqual(
      apps.map(({ id }) => id),
      [kept]
    )
  })

  it("the page says with which client, where and when each password session was opened", async () => {
    const send = async (method: string, userAgent: string, cf: object, input: object) => {
      const request = new Request(new URL(`/xrpc/com.atproto.server.${method}`, origin), {
        method: "POST",
        headers: {
          authorization: basic(),
          "content-type": "application/json",
          "user-agent": userAgent,
          "x-nacre-place": "Atlantis"
        },
        body: JSON.stringify(input)
      })
      const answer = await world.handler(Object.assign(request, { cf }))
      assert.strictEqual(answer.status, 200)
    }
    const name = `seen${(count += 1)}`
    const account = { handle: `${name}.test`, email: `${name}@mail.example.com` }
    const person = { ...account, did: `did:web:${name}.test`, password: "a password of theirs" }
    await send("createAccount", "Signer/1", { city: "Lisbon" }, person)
    const signIn = (userAgent: string, cf: object) => {
      const { did: identifier, password } = person
      return send("createSession", userAgent, cf, { identifier, password })
    }
    await signIn(iphone, { city: "Łódź", country: "PL" })
    await signIn("goat/0.2.1 (linux; amd64)", { country: "XX" })
    await signIn("<b>bold</b>", {})
    const browser = new Browser(world)
    await enter(browser, person)
    const { text } = await browser.get("/account/apps", ours)
    assert.match(
      text,
      /<strong>Safari on iPhone<\/strong\s*><small\s*>[^<]*With your password\.[^<]*, from Łódź, Poland\./
    )
    assert.match(
      text,
      /<strong>goat\/0\.2\.1<\/strong\s*><small\s*>\s*With your password\.\s+Since [^,]+, \d\d:\d\d UTC\. /
    )
    assert.match(text, /<strong>Signer\/1<\/strong\s*><small\s*>[^<]*, from Lisbon\./)
    assert.include(text, "&lt;b&gt;bold&lt;/b&gt;")
    assert.notInclude(text, "Atlantis")
  })

  it("the page lists sessions opened with a password, and ends each", async () => {
    const person = await somebody()
    const other = await session(world, person.did, "full")
    const browser = await browserOf(world, person)
    const { sessions } = await ask(world, person.did, "security")
    const page = await browser.get("/account/apps", ours)
    assert.strictEqual(page.text.split('action="/account/apps/end-session"').length, 3)
    for (const { id } of sessions) {
      await browser.submit(page.form("/apps/end-session"), { session: id })
    }
    for (const auth of [person.auth, bearer(other.accessJwt)]) {
      const answer = await world.call("com.atproto.server.getSession", { auth })
      assert.strictEqual(outcomeOf(answer), "400 ExpiredToken")
    }
  })

  it("an app password is shown once, and signs in over XRPC until it is revoked", async () => {
    const person = await somebody()
    const browser = await browserOf(world, person)
    const page = await browser.get("/account/app-password", ours)
    const form = page.form("/app-password")
    assert.strictEqual((await browser.submit(form, { name: "  " })).status, 400)
    const created = await browser.submit(form, { name: "Phone", access: "privileged" })
    const password = /<code>([a-z2-7-]{19})<\/code>/.exec(created.text)?.[1] ?? ""
    const signIn = () =>
      world.call("com.atproto.server.createSession", {
        input: { identifier: person.handle, password }
      })
    ok(await signIn())
    const twice = await browser.submit(form, { name: "Phone" })
    assert.strictEqual(twice.status, 400)
    assert.include(twice.text, "You already have an app password named “Phone”.")
    const list = await browser.get("/account/apps", ours)
    assert.notInclude(list.text, password)
    assert.include(list.text, "Can read and send direct messages")
    assert.include(list.text, "With the app password “Phone”")
    const revoked = await browser.submit(list.form("/apps/revoke-password"))
    assert.include(revoked.text, "App password revoked")
    assert.strictEqual(outcomeOf(await signIn()), "401 AuthenticationRequired")
    const { sessions } = await ask(world, person.did, "security")
    assert.isTrue(sessions.every(({ appPassword }) => appPassword === undefined))
  })
})

describe("the password", () => {
  it("a valid new password typed twice replaces the old one, and signs out all other devices", async () => {
    const person = await somebody()
    const browser = await browserOf(world, person)
    const other = await browserOf(world, person)
    await connect(world, person.did)
    const form = (await browser.get("/account/password", ours)).form("/account/password")
    for (const [password, again, said] of [
      ["a new password", "another password", "The passwords don’t match."],
      ["short", "short", "Choose a password with at least 8 characters"],
      ["", "", "Choose a password with at least 8 characters"]
    ] as const) {
      const refused = await browser.submit(form, { password, again })
      assert.strictEqual(refused.status, 400)
      assert.include(refused.text, said)
      assert.isTrue(refused.has("/account/password"))
      assert.notInclude(refused.text, "a new password")
    }
    const password = "a new password"
    const changed = await browser.submit(form, { password, again: password })
    assert.include(changed.text, "Password changed")
    assert.strictEqual((await other.get("/account")).location, "/account/sign-in")
    const view = await ask(world, person.did, "security")
    assert.deepStrictEqual([view.apps, view.sessions], [[], []])
    assert.strictEqual((await enter(new Browser(world), person)).status, 400)
    assert.strictEqual((await enter(new Browser(world), { ...person, password })).status, 200)
  })

  it("/.well-known/change-password redirects to the password page", async () => {
    const { status, location } = await new Browser(world).get("/.well-known/change-password")
    assert.deepStrictEqual([status, location], [302, "/account/password"])
  })
})

describe("an address under /account", () => {
  it("an unknown address shows a 404 page", async () => {
    const browser = await browserOf(world, world.alice)
    for (const path of ["/account/nothing", "/account/apps/disconnect", "/account/__proto__"]) {
      const page = await browser.get(path)
      assert.strictEqual(page.status, 404)
      assert.include(page.text, "<h1>Page not found</h1>")
    }
    const form = { action: "/account/nothing", fields: {} }
    assert.strictEqual((await browser.post(form)).status, 404)
  })

  it("a page shows its notice only after one of our own forms", async () => {
    const browser = await browserOf(world, world.alice)
    const said = await browser.get("/account?done=password", ours)
    assert.include(said.text, "Password changed")
    for (const [path, headers] of [
      ["/account?done=password", {}],
      ["/account?done=constructor", ours],
      ["/account?done=%3Cb%3E", ours]
    ] as const) {
      const { status, text } = await browser.get(path, headers)
      assert.strictEqual(status, 200)
      assert.notInclude(text, 'role="status"')
    }
  })
})
