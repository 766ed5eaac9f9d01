import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { basic } from "../../support/http/httpHost.ts"
import { ok } from "../../support/http/httpWorld.ts"
import { type LaggingWorld, profileViewOf, startLaggingWorld } from "./laggingAppView.ts"

const timeline = "app.bsky.feed.getTimeline"
const profile = "app.bsky.actor.profile"

describe("read-after-write in rare cases", () => {
  let world: LaggingWorld
  beforeAll(async () => {
    world = await startLaggingWorld()
    await world.caughtUp(world.alice)
  })
  afterAll(() => world.close())

  const call = (nsid: string, query = "") => world.call(nsid, { query, auth: world.alice.auth })

  const rename = (displayName: string) =>
    world.call("com.atproto.repo.putRecord", {
      auth: world.alice.auth,
      input: {
        repo: world.alice.did,
        collection: profile,
        rkey: "self",
        record: { $type: profile, displayName }
      }
    })

  it("a response that can't be written again stays unchanged", async () => {
    const { alice, appView } = world
    ok(await rename("Anew"))
    const { rev } = appView
    const view = profileViewOf(alice)
    const levels = 100_000
    const deep = `${"[".repeat(levels)}${"]".repeat(levels)}`
    const text = `{"more":${deep},${JSON.stringify(view).slice(1)}`
    appView.showsText("app.bsky.actor.getProfile", text)
    appView.rev = rev
    const response = await call("app.bsky.actor.getProfile", `?actor=${alice.did}`)
    assert.strictEqual(response.status, 200)
    assert.strictEqual(response.text, text)
  })

  it("a post or profile that was taken down is not shown", async () => {
    const { alice, appView } = world
    await world.caughtUp(alice)
    const { uri, cid } = await world.write(alice, "app.bsky.feed.post", {
      text: "to be taken down",
      createdAt: new Date().toISOString()
    })
    ok(await rename("Nobody should see this"))
    appView.shows(timeline, { feed: [] })
    appView.shows("app.bsky.actor.getProfile", profileViewOf(alice))
    assert.strictEqual((await call(timeline)).body["feed"].length, 1)
    const self = await world.call("com.atproto.repo.getRecord", {
      params: { repo: alice.did, collection: profile, rkey: "self" }
    })
    for (const subject of [
      { uri, cid },
      { uri: self.body["uri"], cid: self.body["cid"] }
    ]) {
      const input = {
        subject: { $type: "com.atproto.repo.strongRef", ...subject },
        takedown: { applied: true }
      }
      ok(await world.call("com.atproto.admin.updateSubjectStatus", { auth: basic(), input }))
    }
    assert.deepStrictEqual((await call(timeline)).body["feed"], [])
    const shown = await call("app.bsky.actor.getProfile", `?actor=${alice.did}`)
    assert.strictEqual(shown.body["displayName"], profileViewOf(alice)["displayName"])
  })
})
