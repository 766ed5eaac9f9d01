import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { browserOf, formOn } from "../support/http/accountPages.ts"
import { letIn, withApp } from "../support/http/httpApps.ts"
import { basic, bearer } from "../support/http/httpHost.ts"
import {
  ok,
  outcomeOf,
  type Person,
  session,
  signUp,
  startWorld,
  type World
} from "../support/http/httpWorld.ts"
import { type App, publicApp } from "../support/http/oauthApp.ts"

let world: World
let app: App

beforeAll(async () => {
  world = await startWorld()
  app = await publicApp(world)
})
afterAll(() => world.close())

const server = (name: string, input: object, auth: string) =>
  world.call(`com.atproto.server.${name}`, { input, auth })

/** The ways to deactivate an account. */
const ways: Readonly<Record<string, (who: Person) => Promise<void>>> = {
  "by its owner's client": async (who) => {
    ok(await server("deactivateAccount", {}, who.auth))
  },
  "on its page": async (who) => {
    const browser = await browserOf(world, who)
    const off = await browser.submit(await formOn(browser, "deactivate", "deactivate"), {
      date: ""
    })
    assert.strictEqual(off.status, 200)
  },
  "by the administrator": async ({ did }) => {
    const subject = { $type: "com.atproto.admin.defs#repoRef", did }
    const input = { subject, deactivated: { applied: true } }
    ok(await world.call("com.atproto.admin.updateSubjectStatus", { input, auth: basic() }))
  },
  "by an app": async ({ did }) => {
    const by = await letIn(world, did, "atproto account:status?action=manage")
    const nsid = "com.atproto.server.deactivateAccount"
    ok(await world.call(nsid, await withApp(world, by, nsid, { input: {} })))
  }
}

describe("a deactivated account", () => {
  it.each(Object.entries(ways))("deactivation %s ends all sessions and apps", async (_, way) => {
    const who = await signUp(world, `off${Object.values(ways).indexOf(way)}`)
    const tokens = await app.signIn(who.did)
    const other = await session(world, who.did, "full")
    const bot = await session(world, who.did, "standard")
    const code = await app.code(who.did)
    world.advance(1000)
    await way(who)
    const activated = await server("activateAccount", {}, who.auth)
    if (activated.status !== 200) {
      const { accessJwt } = await session(world, who.did, "full")
      ok(await server("activateAccount", {}, bearer(accessJwt)))
    }
    const nsid = "com.atproto.server.getSession"
    assert.strictEqual((await app.call(nsid, tokens["access_token"])).status, 401)
    assert.strictEqual((await app.refresh(tokens["refresh_token"])).status, 400)
    assert.strictEqual((await app.post("/oauth/token", code)).status, 400)
    for (const { accessJwt } of [other, bot]) {
      const asked = await world.call(nsid, { auth: bearer(accessJwt) })
      assert.strictEqual(outcomeOf(asked), "400 ExpiredToken")
    }
  })

  it("deactivation keeps the session that requested it, which can reactivate", async () => {
    const who = await signUp(world, "regret")
    ok(await server("deactivateAccount", {}, who.auth))
    ok(await server("activateAccount", {}, who.auth))
  })
})
