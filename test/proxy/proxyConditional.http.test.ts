import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ok } from "../support/http/httpWorld.ts"
import {
  type LaggingWorld,
  postViewOf,
  startLaggingWorld
} from "./readAfterWrite/laggingAppView.ts"
import { sendJson } from "../support/network/mockService.ts"

const timeline = "app.bsky.feed.getTimeline"

describe("an AppView with versioned responses", () => {
  let world: LaggingWorld
  beforeAll(async () => {
    world = await startLaggingWorld()
  })
  afterAll(() => world.close())

  it("a browser's cached response doesn't hide the caller's new post", async () => {
    const { alice, bob, appView } = world
    await world.caughtUp(alice)
    const feed = [{ post: postViewOf(bob, "3kbbbbbbbbb22") }]
    appView.on(timeline, ({ headers }, response) => {
      const versions = { etag: 'W/"1"', ...appView.revHeader() }
      if (headers["if-none-match"] === 'W/"1"' || headers["if-modified-since"] !== undefined) {
        response.writeHead(304, versions).end()
      } else if (headers.range !== undefined) {
        response.writeHead(206, { ...versions, "content-range": "bytes 0-3/9" }).end('{"fe')
      } else sendJson(response, 200, { feed }, versions)
    })
    const { auth } = alice
    const first = await world.call(timeline, { auth })
    assert.strictEqual(first.body["feed"].length, 1)
    const { uri } = await world.write(alice, "app.bsky.feed.post", {
      text: "just now",
      createdAt: new Date().toISOString()
    })
    for (const headers of [
      { "if-none-match": 'W/"1"' },
      { "if-modified-since": new Date().toUTCString() },
      { range: "bytes=0-3" }
    ]) {
      const again = ok(await world.call(timeline, { auth, headers }))
      assert.strictEqual(again["feed"][0].post.uri, uri, JSON.stringify(headers))
    }
  })

  it("a dated response must be revalidated, because browsers would infer a lifetime", async () => {
    const { alice, appView } = world
    const dated = { "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" }
    appView.on("com.example.dated", (_, response) => sendJson(response, 200, {}, dated))
    const answer = await world.call("com.example.dated", { auth: alice.auth })
    assert.strictEqual(answer.headers.get("last-modified"), dated["last-modified"])
    assert.strictEqual(answer.headers.get("cache-control"), "private, no-cache")
  })
})
