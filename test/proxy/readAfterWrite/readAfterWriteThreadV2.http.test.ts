import {
  type AppBskyUnspeccedGetPostThreadV2,
  AppBskyUnspeccedDefs,
  type AtpAgent
} from "@atproto/api"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import {
  itemOf,
  type LaggingWorld,
  postViewOf,
  type Seen,
  startLaggingWorld
} from "./laggingAppView.ts"
import { services } from "../../support/network/mockNetwork.ts"
import { sendJson } from "../../support/network/mockService.ts"

const postType = "app.bsky.feed.post"
const nsid = "app.bsky.unspecced.getPostThreadV2"

const outline = ({ thread }: AppBskyUnspeccedGetPostThreadV2.OutputSchema) =>
  thread.map(({ depth, uri }) => [depth, uri])

/** The fields that make a post a reply. */
const replyTo = (root: Seen, parent = root) => {
  const [one, other] = [root, parent].map(({ uri, cid }) => ({ uri, cid }))
  return { reply: { root: one, parent: other } }
}

const notFound = (uri: string) => ({
  hasOtherReplies: false,
  thread: [{ uri, depth: 0, value: { $type: "app.bsky.unspecced.defs#threadItemNotFound" } }]
})

describe("a thread's list from an AppView that lags behind", () => {
  let world: LaggingWorld
  let agent: AtpAgent
  beforeAll(async () => {
    world = await startLaggingWorld()
    agent = await world.agentOf(world.alice)
  })
  afterAll(() => world.close())
  beforeEach(async () => {
    await world.caughtUp(world.alice)
    world.appView.forget()
  })

  const publish = (root?: Seen, parent = root) => {
    const record = { text: "just now", createdAt: new Date().toISOString() }
    const reply = root && parent && replyTo(root, parent)
    return world.write(world.alice, postType, { ...record, ...reply })
  }

  const ask = async (params: AppBskyUnspeccedGetPostThreadV2.QueryParams) =>
    agent.app.bsky.unspecced.getPostThreadV2(params)

  it("the list shows a new reply, and a reply to that, and how far behind the AppView is", async () => {
    const { appView, bob } = world
    const root = postViewOf(bob, "3kbbbbbbbbb22")
    const other = itemOf(postViewOf(bob, "3kbbbbbbbbb33", 50, replyTo(root)), 1)
    appView.shows(nsid, { hasOtherReplies: true, thread: [itemOf(root, 0), other] })
    const first = await publish(root)
    const second = await publish(root, first)
    const { data, headers } = await ask({ anchor: root["uri"] })
    assert.deepStrictEqual(outline(data), [
      [0, root["uri"]],
      [1, other["uri"]],
      [1, first.uri],
      [2, second.uri]
    ])
    assert.isTrue(data.hasOtherReplies)
    assert.match(headers["atproto-upstream-lag"] ?? "", /^\d+$/)
  })

  it("the list shows the Bluesky app what it expects after publishing: all posts of the thread", async () => {
    const { appView, alice } = world
    appView.shows(nsid, ({ params }) => notFound(params.get("anchor") ?? ""))
    const first = await publish()
    const second = await publish(first)
    const third = await publish(first, second)
    const posts = [first, second, third]
    for (const count of [1, 3]) {
      const { data } = await agent.app.bsky.unspecced.getPostThreadV2(
        { anchor: first.uri, above: false, below: count - 1, branchingFactor: 1 },
        { headers: { "atproto-proxy": `${services.appView}#bsky_appview` } }
      )
      assert.deepStrictEqual(
        outline(data),
        posts.slice(0, count).map(({ uri }, depth) => [depth, uri])
      )
      for (const { value } of data.thread) {
        assert.isTrue(AppBskyUnspeccedDefs.isThreadItemPost(value))
        assert.strictEqual((value as Seen)["post"].author.did, alice.did)
      }
    }
  })

  it("the AppView is asked for an unknown post's parent, whether it returned an error or not", async () => {
    const { alice, appView, bob } = world
    const root = postViewOf(bob, "3kbbbbbbbbb22")
    const strong = await publish(root)
    for (const status of [200, 400]) {
      appView.forget()
      appView.on(nsid, ({ params }, response) => {
        const anchor = params.get("anchor") ?? ""
        const known = anchor === root["uri"]
        const body = known ? { ...notFound(anchor), thread: [itemOf(root, 0)] } : notFound(anchor)
        const error = { error: "NotFound", message: "Post not found" }
        const answer = known || status === 200 ? body : error
        return sendJson(response, known ? 200 : status, answer, appView.revHeader())
      })
      const anchor = strong.uri.replace(alice.did, alice.handle)
      const { data } = await ask({ anchor })
      assert.deepStrictEqual(outline(data), [
        [-1, root["uri"]],
        [0, strong.uri]
      ])
      const asked = appView.asked().at(-1)
      assert.deepStrictEqual(
        [asked?.claims["lxm"], asked?.claims["iss"], ...(asked?.params.values() ?? [])],
        [nsid, alice.did, root["uri"], "true", "0", "0"]
      )
      appView.forget()
      assert.deepStrictEqual(outline((await ask({ anchor, above: false })).data), [[0, strong.uri]])
      assert.strictEqual(appView.asked().length, 1)
    }
  })

  it("the list shows the new name", async () => {
    const { alice, appView } = world
    const root = postViewOf(alice, "3kbbbbbbbbb22")
    appView.shows(nsid, { hasOtherReplies: false, thread: [itemOf(root, 0)] })
    await agent.upsertProfile((profile) => ({ ...profile, displayName: "Renamed" }))
    const [shown] = (await ask({ anchor: root["uri"] })).data.thread as unknown as [Seen]
    assert.strictEqual(shown["value"].post.author.displayName, "Renamed")
  })

  it("a post stays not found if it is another account's or deleted", async () => {
    const { alice, appView, bob } = world
    appView.shows(nsid, ({ params }) => notFound(params.get("anchor") ?? ""))
    await publish()
    for (const anchor of [
      postViewOf(bob, "3kbbbbbbbbb22")["uri"],
      `at://${alice.did}/${postType}/3kzzzzzzzzz22`
    ]) {
      const { data, headers } = await ask({ anchor })
      assert.deepStrictEqual(data.thread as ReadonlyArray<unknown>, notFound(anchor).thread)
      assert.isUndefined(headers["atproto-upstream-lag"])
    }
  })
})
