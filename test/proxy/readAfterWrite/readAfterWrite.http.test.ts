import type { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { png, upload } from "../../support/http/httpWorld.ts"
import {
  type LaggingWorld,
  postViewOf,
  profileViewOf,
  type Seen,
  startLaggingWorld,
  threadOf
} from "./laggingAppView.ts"
import { services } from "../../support/network/mockNetwork.ts"
import { sendJson } from "../../support/network/mockService.ts"

const postType = "app.bsky.feed.post"

const now = () => new Date().toISOString()

const uris = (feed: ReadonlyArray<{ readonly post: { readonly uri: string } }>) =>
  feed.map(({ post }) => post.uri)

/** A strong reference to a record. */
const strongRef = ({ uri, cid }: Seen) => ({ uri, cid })

const isLag = (text: string | undefined) => /^\d+$/.test(text ?? "")

const postNotFound = (uri: string) => [400, "NotFound", `Post not found: ${uri}`]

describe("an AppView that lags behind", () => {
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

  const publish = (more: Seen = {}, text = "just now") =>
    world.write(world.alice, postType, { text, createdAt: now(), ...more })

  const picture = async (content: string) =>
    (await upload(world, world.alice.auth, png(content))) as Seen

  /** Fetches a view's link. */
  const linked = async (url: string | undefined) => {
    const { pathname, search } = new URL(url ?? "")
    return world.ask(`${pathname}${search}`)
  }

  it("a profile shows the latest edit, with its pictures", async () => {
    const { alice, bob, appView } = world
    appView.shows("app.bsky.actor.getProfile", profileViewOf(alice, { followersCount: 3 }))
    appView.shows("app.bsky.actor.getProfiles", {
      profiles: [profileViewOf(bob), profileViewOf(alice)]
    })
    const avatar = await picture("a new avatar")
    await agent.com.atproto.repo.putRecord({
      repo: alice.did,
      collection: "app.bsky.actor.profile",
      rkey: "self",
      record: { $type: "app.bsky.actor.profile", displayName: "Anew", description: "Here", avatar }
    })
    const { data, headers } = await agent.app.bsky.actor.getProfile({ actor: alice.did })
    assert.deepStrictEqual(
      [data.displayName, data.description, data.followersCount],
      ["Anew", "Here", 3]
    )
    assert.deepStrictEqual((await linked(data.avatar)).bytes, png("a new avatar"))
    assert.isTrue(isLag(headers["atproto-upstream-lag"]))
    const many = await agent.app.bsky.actor.getProfiles({ actors: [bob.did, alice.did] })
    assert.deepStrictEqual(
      many.data.profiles.map(({ displayName }) => displayName),
      [profileViewOf(bob)["displayName"], "Anew"]
    )
    appView.shows("app.bsky.actor.getProfile", profileViewOf(bob))
    const other = await agent.app.bsky.actor.getProfile({ actor: bob.did })
    assert.deepStrictEqual(other.data, profileViewOf(bob) as typeof other.data)
    assert.isUndefined(other.headers["atproto-upstream-lag"])
  })

  it("feeds and likes show the new name", async () => {
    const { alice, bob, appView } = world
    const feed = [
      { post: postViewOf(bob, "3kbbbbbbbbb22") },
      { post: postViewOf(alice, "3kbbbbbbbbb33") }
    ]
    appView.shows("app.bsky.feed.getActorLikes", { feed })
    appView.shows("app.bsky.feed.getTimeline", { feed })
    await agent.upsertProfile((profile) => ({ ...profile, displayName: "Liked" }))
    const names = [bob.handle, "Liked"].map((name) =>
      name === "Liked" ? name : `${name} as of old`
    )
    const likes = await agent.app.bsky.feed.getActorLikes({ actor: alice.did })
    assert.deepStrictEqual(
      likes.data.feed.map(({ post }) => post.author.displayName),
      names
    )
    const timeline = await agent.getTimeline()
    assert.deepStrictEqual(
      timeline.data.feed.map(({ post }) => post.author.displayName),
      names
    )
  })

  it("a timeline shows a new post with its picture on top", async () => {
    const { appView, bob } = world
    appView.shows("app.bsky.feed.getTimeline", {
      cursor: "more",
      feed: [{ post: postViewOf(bob, "3kbbbbbbbbb22") }]
    })
    const image = await picture("a cloud")
    const aspectRatio = { width: 4, height: 3 }
    const embed = {
      $type: "app.bsky.embed.images",
      images: [{ image, alt: "a cloud", aspectRatio }]
    }
    const { uri, cid } = await publish({ embed, langs: ["en"] })
    const { data, headers } = await agent.getTimeline()
    assert.deepStrictEqual(uris(data.feed), [uri, postViewOf(bob, "3kbbbbbbbbb22")["uri"]])
    assert.strictEqual(data.cursor, "more")
    const [{ post }] = data.feed as unknown as [Seen]
    assert.deepStrictEqual([post["cid"], post["author"].did], [cid, world.alice.did])
    const [shown] = post["embed"].images
    assert.deepStrictEqual([shown.alt, shown.aspectRatio], ["a cloud", aspectRatio])
    assert.deepStrictEqual((await linked(shown.fullsize)).bytes, png("a cloud"))
    assert.isTrue(isLag(headers["atproto-upstream-lag"]))
  })

  it("the server asks the AppView, in the caller's name, for what a new post quotes and replies to", async () => {
    const { alice, appView, bob } = world
    const quoted = postViewOf(bob, "3kbbbbbbbbb44")
    const answered = postViewOf(bob, "3kbbbbbbbbb55")
    appView.shows("app.bsky.feed.getTimeline", { feed: [] })
    appView.shows("app.bsky.feed.getPosts", { posts: [quoted, answered] })
    const { uri } = await publish({
      embed: { $type: "app.bsky.embed.record", record: strongRef(quoted) },
      reply: { root: strongRef(answered), parent: strongRef(answered) }
    })
    const { data } = await agent.getTimeline(
      {},
      { headers: { "atproto-accept-labelers": "did:web:labels.example.com" } }
    )
    const [item] = data.feed as unknown as [Seen]
    assert.strictEqual(item["post"].uri, uri)
    assert.strictEqual(item["post"].embed.record.value.text, quoted["record"].text)
    assert.strictEqual(item["reply"].parent.uri, answered["uri"])
    const [, asked] = appView.asked()
    assert.deepStrictEqual(asked?.params.getAll("uris"), [answered["uri"], quoted["uri"]])
    const { iss, aud, lxm } = asked?.claims ?? {}
    assert.deepStrictEqual([iss, aud, lxm], [alice.did, services.appView, "app.bsky.feed.getPosts"])
    assert.include(asked?.headers["atproto-accept-labelers"], "did:web:labels.example.com")
  })

  it("a new post appears without its quote if the AppView doesn't know that", async () => {
    const { appView, bob } = world
    appView.shows("app.bsky.feed.getTimeline", { feed: [] })
    appView.shows("app.bsky.feed.getPosts", { error: "InternalServerError" }, 500)
    const { uri, cid } = postViewOf(bob, "3kbbbbbbbbb66")
    await publish({ embed: { $type: "app.bsky.embed.record", record: { uri, cid } } })
    const [item] = (await agent.getTimeline()).data.feed as unknown as [Seen]
    assert.deepStrictEqual(item["post"].embed.record, {
      $type: "app.bsky.embed.record#viewNotFound",
      uri,
      notFound: true
    })
  })

  const feedOf = async (params: Parameters<AtpAgent["getAuthorFeed"]>[0]) =>
    uris((await agent.getAuthorFeed(params)).data.feed)

  it("the caller's own feed shows new posts, by its filter, by DID and by handle", async () => {
    const { alice, appView, bob } = world
    appView.shows("app.bsky.feed.getAuthorFeed", { feed: [] })
    const plain = await publish()
    const { uri, cid } = postViewOf(bob, "3kbbbbbbbbb77")
    const reply = await publish({ reply: { root: { uri, cid }, parent: { uri, cid } } })
    assert.deepStrictEqual(await feedOf({ actor: alice.did }), [reply.uri, plain.uri])
    const filter = "posts_no_replies"
    assert.deepStrictEqual(await feedOf({ actor: alice.handle, filter }), [plain.uri])
    assert.deepStrictEqual(await feedOf({ actor: alice.did, cursor: "more" }), [])
    assert.deepStrictEqual(await feedOf({ actor: bob.did }), [])
  })

  it("at most ten new posts are merged, the newest", async () => {
    world.appView.shows("app.bsky.feed.getTimeline", { feed: [] })
    const all: Array<string> = []
    for (let i = 0; i < 12; i++) all.unshift((await publish({}, `number ${i}`)).uri)
    assert.deepStrictEqual(uris((await agent.getTimeline()).data.feed), all.slice(0, 10))
  })

  it("a thread shows a new reply, and a reply to that", async () => {
    const { appView, bob } = world
    const root = postViewOf(bob, "3kbbbbbbbbb22")
    appView.shows("app.bsky.feed.getPostThread", { thread: threadOf(root) })
    const strong = strongRef(root)
    const first = await publish({ reply: { root: strong, parent: strong } })
    const second = await publish({ reply: { root: strong, parent: first } })
    const { data } = await agent.getPostThread({ uri: root["uri"] })
    const thread = data.thread as Seen
    assert.strictEqual(thread["replies"][0].post.uri, first.uri)
    assert.strictEqual(thread["replies"][0].replies[0].post.uri, second.uri)
  })

  /** Makes the AppView know one thread and no other post. */
  const knowsOnly = (root: Seen) =>
    world.appView.on("app.bsky.feed.getPostThread", ({ params }, response) => {
      const uri = params.get("uri")
      const headers = world.appView.revHeader()
      if (uri === root["uri"]) return sendJson(response, 200, { thread: threadOf(root) }, headers)
      const error = { error: "NotFound", message: `Post not found: ${uri}` }
      return sendJson(response, 400, error, headers)
    })

  it("an author sees the thread of a post that the AppView doesn't know", async () => {
    const { alice, appView, bob } = world
    const root = postViewOf(bob, "3kbbbbbbbbb22")
    const strong = strongRef(root)
    const first = await publish({ reply: { root: strong, parent: strong } })
    const second = await publish({ reply: { root: strong, parent: first } })
    knowsOnly(root)
    for (const authority of [alice.did, alice.handle]) {
      const uri = first.uri.replace(alice.did, authority)
      const { data, headers } = await agent.getPostThread({ uri, parentHeight: 5 })
      const thread = data.thread as Seen
      assert.strictEqual(thread["post"].uri, first.uri)
      assert.strictEqual(thread["parent"].post.uri, root["uri"])
      assert.strictEqual(thread["replies"][0].post.uri, second.uri)
      assert.isTrue(isLag(headers["atproto-upstream-lag"]))
    }
    const asked = appView.asked().at(-1)
    assert.deepStrictEqual(
      [asked?.params.get("uri"), asked?.params.get("depth"), asked?.params.get("parentHeight")],
      [root["uri"], "0", "4"]
    )
  })

  const threadError = async (uri: string) => {
    const { status, body } = await world.call("app.bsky.feed.getPostThread", {
      params: { uri },
      auth: world.alice.auth
    })
    return [status, body["error"], body["message"]]
  }

  it("a post stays not found if it is another account's, deleted, or older than what the AppView has seen", async () => {
    const { alice, appView, bob } = world
    knowsOnly({})
    const { uri } = await publish()
    const others = postViewOf(bob, "3kbbbbbbbbb22")["uri"]
    const never = `at://${alice.did}/${postType}/3kzzzzzzzzz22`
    assert.deepStrictEqual(await threadError(others), postNotFound(others))
    assert.deepStrictEqual(await threadError(never), postNotFound(never))
    assert.strictEqual((await threadError(uri))[0], 200)
    appView.rev = undefined
    assert.deepStrictEqual(await threadError(uri), postNotFound(uri))
    await world.caughtUp(alice)
    assert.deepStrictEqual(await threadError(uri), postNotFound(uri))
  })
})
