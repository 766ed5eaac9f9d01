import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TOTP } from "otpauth"
import { Accounts } from "../../../src/services/accounts/Accounts.ts"
import { PasskeyOwners } from "../../../src/services/factors/PasskeyOwners.ts"
import { newAuthenticator } from "../../factors/authenticator.ts"
import { Browser, type Shown, unescape } from "../../support/http/httpBrowser.ts"
import { origin } from "../../support/http/httpHost.ts"
import { type Person, signUp, startWorld, type World } from "../../support/http/httpWorld.ts"
import { pushed, signIn } from "../../support/http/authorizePages.ts"
import { type App, publicApp } from "../../support/http/oauthApp.ts"

let world: World
let app: App
let person: Person
let totp: TOTP
let recoveryCodes: ReadonlyArray<string>

const here = { origin, rpId: "localhost" }
const authenticator = newAuthenticator()

const call = <A, E>(use: (accounts: Accounts["Service"]) => Effect.Effect<A, E>): Promise<A> =>
  world.beneath(Effect.flatMap(Accounts, use))

/** Adds a passkey and an authenticator to an account. */
const arm = async ({ did }: Person) => {
  const challenge = Buffer.alloc(32, 3).toString("base64url")
  const response = authenticator.create(challenge, here)
  await call((accounts) =>
    accounts.call(did, "addPasskey", { challenge, ...here, name: "Key", response })
  )
  await world.beneath(Effect.flatMap(PasskeyOwners, (own) => own.add(authenticator.id, did)))
  const { secret } = await call((accounts) => accounts.call(did, "beginAuthenticator"))
  totp = new TOTP({ secret })
  const code = totp.generate({ timestamp: world.now() })
  const confirmed = await call((accounts) => accounts.call(did, "confirmAuthenticator", { code }))
  recoveryCodes = confirmed.recoveryCodes
}

beforeAll(async () => {
  world = await startWorld()
  app = await publicApp(world)
  person = await signUp(world, "armed")
  await arm(person)
})
afterAll(() => world.close())

/** The authenticator's next code. */
const nextCode = () => {
  world.advance(30_000)
  return totp.generate({ timestamp: world.now() })
}

/** The challenge that the browser should sign. */
const challengeOf = (shown: Shown): string => {
  const options = /data-options="([^"]*)"/.exec(shown.text)?.[1] ?? ""
  return JSON.parse(unescape(options)).challenge
}

const credential = (shown: Shown, lies = {}) =>
  JSON.stringify(authenticator.get(challengeOf(shown), { ...here, ...lies }))

describe("the second factor", () => {
  it("the second factor follows the password, and an authenticator's code continues", async () => {
    const browser = new Browser(world)
    const page = await signIn(browser, app, person)
    assert.isFalse(page.has("/accept"))
    const wrong = await browser.submit(page.form("/code"), { code: "000000" })
    assert.strictEqual(wrong.status, 400)
    const code = nextCode()
    const right = await browser.submit(wrong.form("/code"), { code: ` ${code} ` })
    assert.isTrue(right.has("/accept"))
    const second = new Browser(world)
    const again = await second.submit((await signIn(second, app, person)).form("/code"), { code })
    assert.isFalse(again.has("/accept"))
  })

  it("a recovery code also works, each once", async () => {
    const [code] = recoveryCodes
    const browser = new Browser(world)
    const page = await signIn(browser, app, person)
    assert.isTrue((await browser.submit(page.form("/code"), { code: code! })).has("/accept"))
    const second = new Browser(world)
    const again = await second.submit((await signIn(second, app, person)).form("/code"), {
      code: code!
    })
    assert.isFalse(again.has("/accept"))
  })

  it("a code is useless unless the password was just verified on this device", async () => {
    const browser = new Browser(world)
    const page = await signIn(browser, app, person)
    const { ticket } = page.form("/code").fields
    const stranger = new Browser(world)
    const signInForm = (await stranger.get((await pushed(app)).path)).form("/sign-in")
    const form = { action: "/oauth/authorize/code", fields: signInForm.fields }
    for (const shown of [undefined, "", ticket, form.fields["csrf"]]) {
      const answer = await stranger.submit(form, { ticket: shown, code: nextCode() })
      assert.isFalse(answer.has("/accept"))
      assert.include(answer.text, "took too long")
    }
    world.advance(5 * 60_000 + 1000)
    const late = await browser.submit(page.form("/code"), { code: nextCode() })
    assert.isFalse(late.has("/accept"))
  })

  it("a code may follow the password for five minutes", async () => {
    const after = async (millis: number) => {
      const browser = new Browser(world)
      const page = await browser.get("/account/sign-in")
      const { handle: identifier, password } = person
      const step = await browser.submit(page.form("/sign-in"), { identifier, password })
      world.advance(millis)
      return (await browser.submit(step.form("/code"), { code: nextCode() })).text
    }
    assert.notInclude(await after(4 * 60_000), "took too long")
    assert.include(await after(5 * 60_000), "took too long")
  })

  it("the choice to be remembered survives the second factor", async () => {
    const browser = new Browser(world)
    const page = await browser.get((await pushed(app)).path)
    const { handle: identifier, password } = person
    const filled = { identifier, password, remember: undefined }
    const step = await browser.submit(page.form("/sign-in"), filled)
    assert.isUndefined(step.form("/code").fields["remember"])
    const code = nextCode()
    assert.isTrue((await browser.submit(step.form("/code"), { code })).has("/accept"))
    world.advance(16 * 60_000)
    assert.notInclude((await browser.get((await pushed(app)).path)).text, identifier)
  })
})

describe("passkeys", () => {
  it("a passkey signs in without name, password or code", async () => {
    const browser = new Browser(world)
    const page = await browser.get((await pushed(app)).path)
    const shown = await browser.submit(page.form("/passkey"), { credential: credential(page) })
    assert.strictEqual(shown.form("/accept").fields["account"], person.did)
  })

  it("a passkey replaces the code", async () => {
    const browser = new Browser(world)
    const page = await signIn(browser, app, person)
    const shown = await browser.submit(page.form("/passkey"), { credential: credential(page) })
    assert.isTrue(shown.has("/accept"))
  })

  it("a passkey signs each challenge once, on its device and in time", async () => {
    const browser = new Browser(world)
    const page = await browser.get((await pushed(app)).path)
    const signed = credential(page)
    const { challenge } = page.form("/passkey").fields
    const stranger = new Browser(world)
    const form = (await stranger.get((await pushed(app)).path)).form("/passkey")
    const stolen = await stranger.submit(form, { challenge, credential: signed })
    assert.isFalse(stolen.has("/accept"))
    assert.isTrue(
      (await browser.submit(page.form("/passkey"), { credential: signed })).has("/accept")
    )
    const next = (await browser.get(`${(await pushed(app)).path}&page=sign-in`)).form("/passkey")
    const replayed = await browser.submit(next, { challenge, credential: signed })
    assert.isFalse(replayed.has("/accept"))
    assert.include(replayed.text, "took too long")
  })

  it("a challenge can't be used after a failed attempt", async () => {
    const browser = new Browser(world)
    const page = await browser.get("/account/sign-in")
    const form = page.form("/passkey")
    const signed = credential(page)
    assert.include((await browser.submit(form, { credential: "{}" })).text, "No account")
    assert.include((await browser.submit(form, { credential: signed })).text, "took too long")
  })

  it("a challenge is valid for a quarter of an hour", async () => {
    const after = async (millis: number) => {
      const browser = new Browser(world)
      const page = await browser.get("/account/sign-in")
      const signed = credential(page)
      world.advance(millis)
      return (await browser.submit(page.form("/passkey"), { credential: signed })).text
    }
    assert.notInclude(await after(14 * 60_000), "took too long")
    assert.include(await after(15 * 60_000), "took too long")
  })

  it("an unknown, foreign, unverified or unreadable passkey doesn't sign in", async () => {
    for (const make of [
      () => "",
      () => "not json",
      () => "[]",
      (page: Shown) => JSON.stringify(newAuthenticator("ES256", "x").get(challengeOf(page), here)),
      (page: Shown) => credential(page, { origin: "https://evil.example.com" }),
      (page: Shown) => credential(page, { flags: 0x01 }),
      () => JSON.stringify(authenticator.get("AAAA", here))
    ]) {
      const browser = new Browser(world)
      const page = await browser.get((await pushed(app)).path)
      const shown = await browser.submit(page.form("/passkey"), { credential: make(page) })
      assert.strictEqual(shown.status, 400)
      assert.isTrue(shown.has("/sign-in"))
    }
  })
})

describe("password guesses", () => {
  it("an address is blocked after 30 failures for a name, over XRPC and the pages together", async () => {
    const host = await startWorld({ RATE_LIMITS: "sensitive" })
    const its = await publicApp(host)
    const { handle, password } = host.bob
    const browser = new Browser(host, "198.51.100.7")
    const page = await browser.get((await pushed(its)).path)
    const form = page.form("/sign-in")
    const guess = (filled = {}) =>
      browser.post(form, { identifier: `@${handle}`, password: "wrong", ...filled })
    await Promise.all(
      Array.from({ length: 29 }, () =>
        host.call("com.atproto.server.createSession", {
          input: { identifier: handle, password: "wrong" },
          headers: { "cf-connecting-ip": "198.51.100.7" }
        })
      )
    )
    assert.notInclude((await guess()).text, "Too many")
    assert.include((await guess({ password })).text, "Too many attempts")
    const elsewhere = new Browser(host, "198.51.100.8")
    assert.isTrue((await signIn(elsewhere, its, { handle, password })).has("/accept"))
    await host.close()
  })

  it("successful sign-ins don't count", async () => {
    const host = await startWorld({ RATE_LIMITS: "sensitive" })
    const its = await publicApp(host)
    for (let n = 0; n < 35; n++) {
      const page = await signIn(new Browser(host, "198.51.100.9"), its, host.alice)
      assert.isTrue(page.has("/accept"), String(n))
    }
    await host.close()
  })
})
