import type { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { type LaggingAppView, type Seen, startLagging } from "./laggingAppView.ts"
import { services } from "../../support/network/mockNetwork.ts"
import { startWorker, type TestServer } from "../../support/server/server.ts"
import { png, signIn } from "../../support/server/serverPeople.ts"

let running: TestServer
let appView: LaggingAppView
let agent: AtpAgent
let did: string

beforeAll(async () => {
  appView = await startLagging()
  running = await startWorker({
    APP_VIEW: `${services.appView}#bsky_appview ${appView.url}`,
    DEV_ALLOW_HOSTS: appView.host
  })
  ;({ agent, did } = await signIn(running))
})
afterAll(async () => {
  await running?.stop()
  await appView?.close()
})

const caughtUp = async () => {
  appView.rev = (await agent.com.atproto.sync.getLatestCommit({ did })).data.rev
}

it("the Worker merges a post with picture and quote into a compressed response of a lagging AppView", async () => {
  await caughtUp()
  const { data } = await agent.uploadBlob(png("a cloud"), { encoding: "image/png" })
  const quoted = await agent.post({ text: "quoted" })
  const embed = {
    $type: "app.bsky.embed.recordWithMedia",
    record: { $type: "app.bsky.embed.record", record: quoted },
    media: { $type: "app.bsky.embed.images", images: [{ image: data.blob, alt: "a cloud" }] }
  }
  const { uri } = await agent.post({ text: "just now", embed })
  appView.showsGzip("app.bsky.feed.getTimeline", { feed: [] })
  const timeline = await agent.getTimeline()
  const [{ post }] = timeline.data.feed as unknown as [Seen]
  assert.strictEqual(post["uri"], uri)
  assert.strictEqual(post["embed"].record.record.value.text, "quoted")
  const picture = await fetch(post["embed"].media.images[0].thumb)
  assert.deepStrictEqual(new Uint8Array(await picture.arrayBuffer()), png("a cloud"))
  assert.match(timeline.headers["atproto-upstream-lag"] ?? "", /^\d+$/)
})

it("the Worker passes on an up-to-date response unchanged", async () => {
  await caughtUp()
  const text = '{ "feed" : [ ],\n\t"cursor":"\\u0041" }'
  appView.showsText("app.bsky.feed.getTimeline", text)
  const answer = await fetch(`${running.url}/xrpc/app.bsky.feed.getTimeline`, {
    headers: { authorization: `Bearer ${agent.session?.accessJwt}` }
  })
  assert.strictEqual(await answer.text(), text)
})

it("the Worker shows the thread of a post that the AppView doesn't know", async () => {
  await caughtUp()
  const first = await agent.post({ text: "first" })
  const second = await agent.post({ text: "second", reply: { root: first, parent: first } })
  appView.shows("app.bsky.feed.getPostThread", { error: "NotFound", message: "not here" }, 400)
  const { data } = await agent.getPostThread({ uri: first.uri })
  const thread = data.thread as Seen
  assert.strictEqual(thread["post"].uri, first.uri)
  assert.strictEqual(thread["replies"][0].post.uri, second.uri)
})
