import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Accounts } from "../../../src/services/accounts/Accounts.ts"
import type { Answered } from "../../support/http/httpHost.ts"
import { letIn, withApp } from "../../support/http/httpApps.ts"
import {
  outcomeOf,
  png,
  signUp,
  startWorld,
  takeDown,
  type World
} from "../../support/http/httpWorld.ts"
import { type App, publicApp } from "../../support/http/oauthApp.ts"

let world: World
let app: App

beforeAll(async () => {
  world = await startWorld()
  app = await publicApp(world)
})
afterAll(() => world.close())

const named = ({ status, body }: Answered) => `${status} ${body["error"] ?? "ok"}`

const session = "com.atproto.server.getSession"

describe("a session that its app revokes", () => {
  it("revocation also ends the session of a taken-down account, permanently", async () => {
    for (const which of ["refresh_token", "access_token"]) {
      const tokens = await app.signIn(world.bob.did)
      await takeDown(world, world.bob.did, "takendown")
      const revoked = await app.post("/oauth/revoke", { token: tokens[which] })
      assert.strictEqual(revoked.status, 200)
      await takeDown(world, world.bob.did, undefined)
      assert.strictEqual(
        named(await app.call(session, tokens["access_token"])),
        "401 invalid_token"
      )
      assert.strictEqual(named(await app.refresh(tokens["refresh_token"])), "400 invalid_grant")
    }
  })
})

describe("a code issued before a change of password", () => {
  it("a code issued before the change opens nothing, and a later one works", async () => {
    const { did } = await signUp(world, "changed")
    const before = await app.code(did)
    world.advance(1000)
    const password = "another password of mine"
    await world.beneath(
      Effect.flatMap(Accounts, (accounts) => accounts.call(did, "changePassword", { password }))
    )
    assert.strictEqual(named(await app.post("/oauth/token", before)), "400 invalid_grant")
    world.advance(1000)
    assert.strictEqual((await app.post("/oauth/token", await app.code(did))).status, 200)
  })
})

describe("an app that may upload pictures", () => {
  it("an app can't upload another type by declaring it a picture", async () => {
    const { did } = world.alice
    const by = await letIn(world, did, "atproto blob:image/png")
    const uploadBlob = "com.atproto.repo.uploadBlob"
    const upload = async (bytes: Uint8Array) => {
      const asked = {
        body: bytes as Uint8Array<ArrayBuffer>,
        headers: { "content-type": "image/png" }
      }
      return world.call(uploadBlob, await withApp(world, by, uploadBlob, asked))
    }
    assert.strictEqual(outcomeOf(await upload(png("one"))), "ok")
    // The sniffed type is what every reader gets.
    const mp4 = new Uint8Array([
      0,
      0,
      0,
      24,
      ...Buffer.from("ftypisom"),
      0,
      0,
      2,
      0,
      ...Buffer.from("isomiso2")
    ])
    assert.strictEqual(outcomeOf(await upload(mp4)), "403 ScopeMissingError")
  })
})

describe("an app that may deactivate the account", () => {
  it("an app that may deactivate the account can't have it deleted", async () => {
    const { did } = await signUp(world, "fragile")
    const by = await letIn(world, did, "atproto account:status?action=manage")
    const nsid = "com.atproto.server.deactivateAccount"
    const call = async (input: object) =>
      world.call(nsid, await withApp(world, by, nsid, { input }))
    const deleteAfter = new Date(world.now() + 86_400_000).toISOString()
    assert.strictEqual(outcomeOf(await call({ deleteAfter })), "403 Forbidden")
    assert.strictEqual(outcomeOf(await call({})), "ok")
  })
})
