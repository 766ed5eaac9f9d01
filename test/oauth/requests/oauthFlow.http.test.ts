import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ok, post, startWorld, type World } from "../../support/http/httpWorld.ts"
import { type App, confidentialApp, publicApp } from "../../support/http/oauthApp.ts"

let world: World
let app: App

beforeAll(async () => {
  world = await startWorld()
  app = await publicApp(world)
})
afterAll(() => world.close())

const session = "com.atproto.server.getSession"

describe("an app", () => {
  it("a public app gets tokens for a code, writes with them, refreshes and revokes them", async () => {
    const { did } = world.alice
    const tokens = await app.signIn(did)
    assert.strictEqual(tokens["token_type"], "DPoP")
    assert.strictEqual(tokens["sub"], did)
    assert.strictEqual(tokens["scope"], "atproto transition:generic")
    assert.strictEqual(tokens["expires_in"], 900)
    const input = { repo: did, collection: "app.bsky.feed.post", record: post("by an app") }
    ok(await app.call("com.atproto.repo.createRecord", tokens["access_token"], { input }))
    const renewed = ok(await app.refresh(tokens["refresh_token"]))
    assert.strictEqual(renewed["sub"], did)
    assert.notStrictEqual(renewed["refresh_token"], tokens["refresh_token"])
    assert.strictEqual(ok(await app.call(session, renewed["access_token"]))["did"], did)
    const revoked = await app.post("/oauth/revoke", { token: renewed["refresh_token"] })
    assert.deepStrictEqual([revoked.status, revoked.text], [200, "{}"])
    assert.strictEqual((await app.call(session, renewed["access_token"])).status, 401)
    assert.strictEqual((await app.refresh(renewed["refresh_token"])).body["error"], "invalid_grant")
  })

  it("a confidential app does the same with its key", async () => {
    const { app: server } = await confidentialApp(world)
    const tokens = await server.signIn(world.bob.did)
    const renewed = ok(await server.refresh(tokens["refresh_token"]))
    assert.strictEqual(
      ok(await server.call(session, renewed["access_token"]))["did"],
      world.bob.did
    )
    ok(await server.post("/oauth/revoke", { token: renewed["access_token"] }))
    assert.strictEqual((await server.call(session, renewed["access_token"])).status, 401)
  })
})
