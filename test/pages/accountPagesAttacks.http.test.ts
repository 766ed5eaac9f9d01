import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { accountActions, accountPages, isPageName } from "../../src/http/pages/account/table.ts"
import {
  arm,
  type Armed,
  ask,
  browserOf,
  connect,
  enter,
  ours,
  ways,
  withPasskey
} from "../support/http/accountPages.ts"
import { Browser, type Shown } from "../support/http/httpBrowser.ts"
import { startHost } from "../support/http/httpHost.ts"
import { ok, type Person, signUp, startWorld, type World } from "../support/http/httpWorld.ts"

let world: World
let victim: Armed
let mallory: Person

beforeAll(async () => {
  world = await startWorld({ MAILER: "captured" })
  victim = await arm(world)
  mallory = await signUp(world, "mallory")
})
afterAll(() => world.close())

const actions = Object.entries(accountActions)
const pages = Object.keys(accountPages)

/** Signs in where the password alone isn't enough. */
const armedBrowser = async ({ did, handle, password }: Person): Promise<Browser> => {
  const browser = new Browser(world)
  const step = await enter(browser, { handle, password })
  const { recoveryCodes } = await ask(world, did, "renewRecoveryCodes")
  await browser.submit(step.form("/code"), { code: recoveryCodes[0]! })
  return browser
}

/** A valid form of an action. */
const filledForm = async (
  { fields, did }: Armed,
  name: string,
  browser: Browser,
  { csrf = "" }: { readonly csrf?: string } = {}
) => {
  const page = await browser.get("/account/passkey", ours)
  const own = page.has("/passkeys/add") ? page.form("/passkeys/add").fields["csrf"]! : csrf
  const filled = page.has("/passkeys/add") ? await fields(name, page) : {}
  return { action: `/account/${name}`, fields: { csrf: own, account: did, ...filled } }
}

type Form = Awaited<ReturnType<typeof filledForm>>

/** Sends every action's form in an invalid way: each must be rejected without any effect. */
const refusesAll = async (
  send: (browser: Browser, form: Form, name: string) => Promise<ReadonlyArray<Shown>>,
  refusal: RegExp | number
) => {
  const browser = await armedBrowser(victim)
  for (const [name] of actions) {
    const form = await filledForm(victim, name, browser)
    const before = await ways(world, victim.did)
    for (const answer of await send(browser, form, name)) {
      if (typeof refusal === "number") assert.strictEqual(answer.status, refusal, name)
      else assert.match(answer.location ?? "", refusal, name)
    }
    assert.strictEqual(await ways(world, victim.did), before, name)
  }
}

describe("a form of an account’s pages", () => {
  it("a form works as its page sends it", async () => {
    // A move to this server has forms of its own: moveIn.http.test.ts.
    for (const [name] of actions.filter(([name]) => !name.startsWith("moving/"))) {
      const person = await arm(world)
      const browser = await armedBrowser(person)
      const form = await filledForm(person, name, browser)
      if (name === "reactivate") {
        ok(
          await world.call("com.atproto.server.deactivateAccount", { input: {}, auth: person.auth })
        )
      }
      if (name === "keep") await ask(world, person.did, "askDeletion")
      const before = await ways(world, person.did)
      const answer = await browser.post(form)
      assert.include([200, 303], answer.status, name)
      assert.notInclude(answer.location ?? "", "/confirm", name)
      assert.notStrictEqual(await ways(world, person.did), before, name)
    }
  })

  it("a form is rejected without the device’s cookie", () =>
    refusesAll(async (_, form) => [await new Browser(world).post(form)], 403))

  it("a form is rejected with the cookie of another device", () =>
    refusesAll(async (_, form) => {
      const strangers = [await browserOf(world, mallory), new Browser(world)]
      await strangers[1]!.get("/account/sign-in")
      return Promise.all(strangers.map((stranger) => stranger.post(form)))
    }, 403))

  it("a form is rejected without a token, or with a changed one or that of another device", () =>
    refusesAll(async (browser, form) => {
      const stranger = new Browser(world)
      const foreign = (await stranger.get("/account/sign-in")).form("/sign-in").fields["csrf"]!
      const { csrf } = form.fields
      const tokens = [undefined, "", foreign, `${csrf}x`, csrf.replace(/^\d/, "9")]
      return Promise.all(tokens.map((token) => browser.post(form, { csrf: token })))
    }, 403))

  it("a form is rejected from another site", () =>
    refusesAll(
      (browser, form) =>
        Promise.all(
          [
            { origin: "https://evil.example.com" },
            { origin: "null" },
            { "sec-fetch-site": "cross-site" },
            { "sec-fetch-site": "same-site" }
          ].map((headers) => browser.post(form, {}, headers))
        ),
      403
    ))

  it("a form is rejected with another content type", () =>
    refusesAll(
      async (browser, form) => [
        await browser.send(form.action, JSON.stringify(form.fields), {
          "content-type": "application/json"
        }),
        await browser.send(form.action, new URLSearchParams(form.fields).toString(), {
          "content-type": "text/plain"
        })
      ],
      415
    ))

  it("a form’s fields in an address change nothing", () =>
    refusesAll(async (browser, form, name) => {
      const query = new URLSearchParams(form.fields)
      const answer = await browser.get(`${form.action}?${query}`, ours)
      assert.strictEqual(answer.status, isPageName(name) ? 200 : 404)
      return []
    }, 404))

  it("a form is rejected for an account that isn’t signed in on the device", () =>
    refusesAll(async (_, form) => {
      const browser = await browserOf(world, mallory)
      const { csrf } = (await browser.get("/account", ours)).form("/sign-out").fields
      return Promise.all(
        [victim.did, "", undefined, "__proto__"].map((account) =>
          browser.post(form, { csrf, account })
        )
      )
    }, /^\/account\/sign-in/))

  it("a form can’t change anything of another account, whatever ids it names", async () => {
    const browser = await browserOf(world, mallory)
    const foreign = [
      "devices/sign-out",
      "apps/disconnect",
      "apps/end-session",
      "apps/revoke-password",
      "apps/revoke-token",
      "passkeys/rename",
      "passkeys/remove"
    ]
    const before = await ways(world, victim.did)
    for (const name of foreign) {
      const own = (await browser.get("/account", ours)).form("/sign-out").fields
      const fields = await victim.fields(name, await browser.get("/account/passkey", ours))
      await browser.submit({ action: `/account/${name}`, fields: { ...own, ...fields } })
    }
    assert.strictEqual(await ways(world, victim.did), before)
  })

  it("a form that changes how to sign in is rejected once the proof is 15 minutes old", async () => {
    const proving = actions.flatMap(([name, { proof }]) => (proof === true ? [name] : []))
    assert.sameMembers(proving, [
      "app-password",
      "access-token",
      "password",
      "passkeys/add",
      "passkeys/remove",
      "authenticator/begin",
      "authenticator/confirm",
      "authenticator/codes",
      "authenticator/off",
      "email-factor/on",
      "email-factor/off",
      "email-factor/send-code",
      "email",
      "email/send-change",
      "email/send-confirmation",
      "email/confirm",
      "handle",
      "recovery-key",
      "remove-key",
      "move/code",
      "move/token",
      "moving/confirm",
      "deactivate",
      "delete",
      "delete/send-code"
    ])
    for (const name of proving) {
      const browser = await armedBrowser(victim)
      const form = await filledForm(victim, name, browser)
      world.advance(15 * 60_000 + 1)
      const before = await ways(world, victim.did)
      const { location } = await browser.post(form)
      assert.match(location ?? "", /^\/account\/confirm\?account=/, name)
      assert.strictEqual(await ways(world, victim.did), before, name)
    }
  })
})

describe("values from strangers", () => {
  it("pages show names, client ids and browsers of strangers as text", async () => {
    const person = await signUp(world, "crossed")
    const attack = `"'><img src=x onerror=alert(1)>\`<script>alert(1)</script>`
    await ask(world, person.did, "createAppPassword", { name: attack, privileged: false })
    await connect(world, person.did, { clientId: `https://app.example.com/${attack}` })
    await connect(world, person.did, { clientId: attack })
    await withPasskey(world, person.did, attack)
    const browser = new Browser(world)
    await browser.get("/account/sign-in", { "user-agent": attack })
    await enter(browser, person)
    for (const page of pages) {
      const { status, text } = await browser.get(`/account/${page}`, ours)
      assert.strictEqual(status, 200, page)
      assert.notInclude(text, "<img src=x", page)
      assert.notInclude(text, "<script>alert", page)
      assert.notMatch(text, /="[^"]*"'>/, page)
    }
    const shown = [
      await browser.get("/account/apps", ours),
      await browser.get("/account/devices", ours)
    ]
    for (const { text } of shown) assert.include(text, "&lt;script&gt;alert(1)&lt;/script&gt;")
    const form = (await browser.get("/account/app-password", ours)).form("/app-password")
    for (const name of [attack.slice(0, 60), `${attack.slice(0, 50)}2`]) {
      for (const answer of [
        await browser.submit(form, { name }),
        await browser.submit(form, { name })
      ]) {
        assert.notInclude(answer.text, "<img src=x")
      }
    }
  })
})

describe("every page of an account", () => {
  it("every page forbids caching, framing and foreign scripts", async () => {
    const browser = await browserOf(world, mallory)
    for (const page of [...pages, "switch", "sign-in", "nothing"]) {
      const { headers } = await browser.get(`/account/${page}`, ours)
      assert.strictEqual(headers.get("cache-control"), "no-store", page)
      assert.strictEqual(headers.get("x-frame-options"), "DENY", page)
      const policy = headers.get("content-security-policy") ?? ""
      assert.include(policy, "default-src 'none'", page)
      assert.include(policy, "frame-ancestors 'none'", page)
      assert.include(policy, "form-action 'self';", page)
      assert.notInclude(policy, "unsafe", page)
    }
  })

  it("every page opens only as a navigation with GET", async () => {
    const browser = await browserOf(world, mallory)
    for (const page of pages) {
      for (const headers of [
        { "sec-fetch-dest": "iframe" },
        { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" }
      ]) {
        assert.strictEqual((await browser.get(`/account/${page}`, headers)).status, 403, page)
      }
    }
    for (const method of ["PUT", "DELETE", "HEAD", "PATCH"]) {
      const answer = await world.ask("/account/password", { method })
      assert.strictEqual(answer.status, 405, method)
    }
  })
})

describe("the token of a form", () => {
  it("a form’s token is valid for twelve hours", async () => {
    const own = await startWorld()
    const browser = new Browser(own)
    const form = (await browser.get("/account/sign-in")).form("/sign-in")
    const send = () => browser.post(form, { identifier: "nobody.test", password: "wrong" })
    const hour = 3_600_000
    own.advance(11 * hour)
    assert.include((await send()).text, "Wrong username or password")
    own.advance(hour)
    const late = await send()
    assert.strictEqual(late.status, 403)
    assert.notInclude(late.text, "Wrong username or password")
    await own.close()
  })
})

describe("a public host", () => {
  it("a public host sends HSTS on pages and redirects", async () => {
    const host = await startHost({ PUBLIC_URL: "https://pds.example.com", DEV_ALLOW_HOSTS: "" })
    const browser = new Browser(host)
    for (const path of [
      "/account/sign-in",
      "/account",
      "/passkey",
      "/oauth/authorize",
      "/account/x"
    ]) {
      const { headers, status } = await browser.get(path)
      assert.match(
        headers.get("strict-transport-security") ?? "",
        /^max-age=\d{8}/,
        `${status} ${path}`
      )
    }
    assert.isTrue(browser.cookies.has("__Host-nacre-device"))
    await host.close()
  })
})
