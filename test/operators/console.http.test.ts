import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { reaches, roles } from "../../src/core/operators/roles.ts"
import { consoleActions, consolePages } from "../../src/http/pages/console/table.ts"
import { AuditLog } from "../../src/services/operators/AuditLog.ts"
import { Operators } from "../../src/services/operators/Operators.ts"
import { ask, browserOf, enter, ours, withAuthenticator } from "../support/http/accountPages.ts"
import {
  enterConsole,
  look,
  makeOperator,
  type Operator,
  proveCode
} from "../support/http/consolePages.ts"
import { Browser } from "../support/http/httpBrowser.ts"
import { basic } from "../support/http/httpHost.ts"
import { signUp, startWorld, type World } from "../support/http/httpWorld.ts"

const minute = 60_000

let world: World
const operators = new Map<string, Operator>()
const pages = Object.entries(consolePages)
const actions = Object.entries(consoleActions)

beforeAll(async () => {
  world = await startWorld()
  for (const role of roles) operators.set(role, await makeOperator(world, `${role}-op`, role))
})
afterAll(() => world.close())

const count = async (): Promise<number> =>
  (await world.beneath(Effect.flatMap(AuditLog, (log) => log.head))).seq

const formOf = (browser: Browser, operator: string, csrf: string, action: string) =>
  browser.post({ action: `/admin/console/${action}`, fields: { csrf, operator } })

/** A valid CSRF token of a browser. */
const csrfOf = async (browser: Browser): Promise<string> =>
  (await browser.get("/account/sign-in", ours)).form("/sign-in").fields["csrf"]!

describe("the console's doors", () => {
  for (const role of roles) {
    it(`a ${role} sees exactly the pages of that role, and sends exactly its forms`, async () => {
      const operator = operators.get(role)!
      for (const [name, page] of pages) {
        const browser = await enterConsole(world, operator)
        const { status, headers, location } = await look(browser, name)
        assert.strictEqual(headers.get("cache-control"), "no-store", name)
        if (reaches(role, page!.role)) assert.include([200, 400], status, name)
        // The overview sends other roles to the first page of theirs.
        else if (name === "") assert.match(location ?? "", /^\/admin\/console\/\w+$/)
        else assert.strictEqual(status, 403, name)
      }
      for (const [name, action] of actions) {
        const browser = await enterConsole(world, operator)
        const csrf = await csrfOf(browser)
        const before = await count()
        const { status } = await formOf(browser, operator.did, csrf, name)
        const allowed = reaches(role, action.role)
        assert.strictEqual(status === 403, !allowed, `${name}: ${status}`)
        assert.strictEqual(await count(), before + (allowed ? 1 : 0), name)
      }
    })
  }

  it("no page and no form opens for anyone else", async () => {
    const admin = operators.get("admin")!
    const owner = await browserOf(world, world.bob)
    const stranger = new Browser(world)
    await stranger.get("/account/sign-in")
    const before = await count()
    for (const [browser, status, location] of [
      [stranger, 303, "/account/sign-in"],
      [owner, 403, undefined]
    ] as const) {
      const csrf = await csrfOf(browser)
      for (const [name] of pages) {
        const shown = await look(browser, name)
        assert.strictEqual(shown.status, status, name)
        if (location !== undefined) assert.include(shown.location, location)
      }
      for (const [name] of actions) {
        const shown = await formOf(browser, admin.did, csrf, name)
        assert.notInclude([200, 400], shown.status, name)
        assert.notMatch(shown.location ?? "", /^\/admin/, name)
      }
    }
    assert.strictEqual(await count(), before)
  })

  it("the administrator's password and an operator's token open no page", async () => {
    for (const auth of [basic(), operators.get("admin")!.auth]) {
      for (const [name] of pages) {
        const path = name === "" ? "/admin" : `/admin/console/${name}`
        const { status, headers } = await world.ask(path, { auth })
        assert.strictEqual(status, 303, name)
        assert.include(headers.get("location") ?? "", "/account/sign-in", name)
      }
    }
  })

  it("a form is rejected without the token of a page on the same device", async () => {
    const admin = operators.get("admin")!
    const foreign = await csrfOf(new Browser(world))
    for (const [name] of actions) {
      const browser = await enterConsole(world, admin)
      const before = await count()
      for (const csrf of ["", foreign]) {
        assert.strictEqual((await formOf(browser, admin.did, csrf, name)).status, 403, name)
      }
      const token = await csrfOf(browser)
      const form = {
        action: `/admin/console/${name}`,
        fields: { csrf: token, operator: admin.did }
      }
      const other = await browser.post(form, {}, { origin: "https://evil.example.com" })
      assert.strictEqual(other.status, 403, name)
      assert.strictEqual(await count(), before, name)
    }
  })

  it("an operator proves again after a quarter of an hour, and continues at the same page", async () => {
    const admin = operators.get("admin")!
    const browser = await enterConsole(world, admin)
    assert.strictEqual((await look(browser, "")).status, 200)
    const csrf = await csrfOf(browser)
    world.advance(15 * minute + 1000)
    for (const [name] of actions) {
      const shown = await formOf(browser, admin.did, csrf, name)
      assert.match(shown.location ?? "", /^\/account\/confirm\?/, name)
    }
    for (const [name] of pages) {
      const shown = await look(browser, name)
      assert.match(shown.location ?? "", /^\/account\/confirm\?/, name)
    }
    const asked = await browser.get((await look(browser, "?x=1")).location!, ours)
    const step = await browser.submit(asked.form("/confirm"), { password: admin.password })
    const shown = await proveCode(world, browser, step, admin)
    assert.strictEqual(shown.status, 200)
    assert.include(shown.text, "Is it well?")
  })

  it("a sign-in before the authenticator's set-up proves too little", async () => {
    const person = await signUp(world, "early-op")
    const browser = await browserOf(world, person)
    world.advance(1000)
    const factor = await withAuthenticator(world, person.did)
    const { did } = person
    await world.beneath(
      Effect.flatMap(Operators, (all) => all.set({ did, role: "admin", addedBy: "password" }))
    )
    const refused = await look(browser, "")
    assert.match(refused.location ?? "", /^\/account\/confirm\?/)
    const asked = await browser.get(refused.location!, ours)
    const step = await browser.submit(asked.form("/confirm"), { password: person.password })
    const shown = await proveCode(world, browser, step, { ...person, role: "admin", factor })
    assert.include(shown.text, "Is it well?")
    await ask(world, did, "disableAuthenticator")
    const without = await look(browser, "")
    assert.strictEqual(without.status, 403)
    assert.include(without.text, "authenticator")
  })

  it("an operator without a role, or whose account is inactive, is outside at once", async () => {
    const gone = await makeOperator(world, "gone-op", "admin")
    const browser = await enterConsole(world, gone)
    assert.strictEqual((await look(browser, "")).status, 200)
    await world.beneath(Effect.flatMap(Operators, (all) => all.remove(gone.did)))
    assert.strictEqual((await look(browser, "")).status, 403)
    const away = await makeOperator(world, "away-op", "admin")
    const second = await enterConsole(world, away)
    await ask(world, away.did, "deactivate", {})
    const { status } = await look(second, "")
    assert.include([303, 403], status)
  })

  it("a sign-in continues only at the console's own addresses", async () => {
    const admin = operators.get("admin")!
    for (const to of [
      "/admin.evil.example",
      "//evil.example",
      "/admin/console/..//x",
      "/admin?a=<b>"
    ]) {
      const browser = new Browser(world)
      const step = await enter(browser, admin, encodeURIComponent(to))
      world.advance(minute)
      const code = admin.factor.totp.generate({ timestamp: world.now() })
      const { location } = await browser.post(step.form("/code"), { code })
      assert.match(location ?? "", /^\/account(\?|$)/, to)
    }
  })
})
