import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Accounts } from "../../../src/services/accounts/Accounts.ts"
import { requestOf } from "../../support/http/httpHost.ts"
import { ok, post, serviceToken, signUp } from "../../support/http/httpWorld.ts"
import {
  itemOf,
  type LaggingWorld,
  postViewOf,
  profileViewOf,
  type Seen,
  startLaggingWorld,
  threadOf
} from "./laggingAppView.ts"
import { services } from "../../support/network/mockNetwork.ts"

const postType = "app.bsky.feed.post"
const timeline = "app.bsky.feed.getTimeline"
const lag = "atproto-upstream-lag"

/** JSON text in an unusual format. */
const oddText = '{ "feed" : [ ],\n\t"cursor":"\\u0041" }'

const rkeyOf = (uri: string) => uri.split("/").at(-1)

describe("the rules of read-after-write", () => {
  let world: LaggingWorld
  beforeAll(async () => {
    world = await startLaggingWorld()
  })
  afterAll(() => world.close())
  beforeEach(async () => {
    await world.caughtUp(world.alice)
    world.appView.forget()
  })

  const publish = () => world.write(world.alice, postType, post("new"))

  const ask = (nsid: string, params: Record<string, string> = {}, headers = {}) =>
    world.call(nsid, { params, auth: world.alice.auth, headers })

  /** The same, for a response that may not be JSON. */
  const askText = async (nsid: string, params = {}) => {
    const request = requestOf(`/xrpc/${nsid}`, { params, auth: world.alice.auth })
    const response = await world.handler(request)
    const { status, headers } = response
    return { status, text: await response.text(), isPatched: headers.has(lag) }
  }

  const assertUntouched = async (text = oddText) =>
    assert.deepStrictEqual(await askText(timeline), { status: 200, text, isPatched: false })

  it("an up-to-date response keeps every byte, and isn't parsed", async () => {
    world.appView.showsText(timeline, oddText)
    await assertUntouched()
    world.appView.showsText(timeline, "this is no JSON")
    await assertUntouched("this is no JSON")
  })

  it("a response without a valid rev stays unchanged", async () => {
    const { appView, alice } = world
    appView.showsText(timeline, oddText)
    await publish()
    const head = await world.caughtUp(alice)
    await publish()
    for (const rev of [
      undefined,
      "",
      "0",
      "yesterday",
      `${head}z`,
      "3zzzzzzzzzzzz",
      "jzzzzzzzzzzzz"
    ]) {
      appView.rev = rev
      await assertUntouched()
    }
    appView.rev = head
    assert.isNotNull((await ask(timeline)).headers.get(lag))
  })

  it("a response stays unchanged if the new records are neither posts nor profile", async () => {
    const { alice, bob, write, appView } = world
    appView.showsText(timeline, oddText)
    const subject = { uri: `at://${bob.did}/${postType}/3kaaaaaaaaa22`, cid: bob.post }
    await write(alice, "app.bsky.feed.like", { subject, createdAt: "2026-01-01T00:00:00Z" })
    await write(alice, "app.bsky.graph.follow", {
      subject: bob.did,
      createdAt: "2026-01-01T00:00:00Z"
    })
    await assertUntouched()
  })

  it("another account's profile stays unchanged although the caller has new posts", async () => {
    const text = JSON.stringify(profileViewOf(world.bob), undefined, 3)
    world.appView.showsText("app.bsky.actor.getProfile", text)
    await publish()
    const answer = await ask("app.bsky.actor.getProfile", { actor: world.bob.did })
    assert.strictEqual(answer.text, text)
  })

  it("an account that moved in doesn't count as new, if the AppView last saw it on another server", async () => {
    const { appView } = world
    appView.showsText(timeline, oddText)
    appView.rev = "3jaaaaaaaaa22"
    await assertUntouched()
  })

  it("the first post of an account is shown, even if the AppView has only just learned of it", async () => {
    const { appView } = world
    appView.shows(timeline, { feed: [] })
    const young = await signUp(world, "young")
    const { rev } = ok(
      await world.call("com.atproto.sync.getLatestCommit", { params: { did: young.did } })
    )
    appView.rev = rev
    const { uri } = await world.write(young, postType, post("my first"))
    const { body } = await world.call(timeline, { auth: young.auth })
    assert.deepStrictEqual(
      body["feed"].map((item: Seen) => item["post"].uri),
      [uri]
    )
  })

  it("a compressed response is merged", async () => {
    const { uri } = await publish()
    world.appView.showsGzip(timeline, { feed: [] })
    const { body, headers } = await ask(timeline, {}, { "accept-encoding": "gzip" })
    assert.strictEqual(body["feed"][0].post.uri, uri)
    assert.isNull(headers.get("content-encoding"))
  })

  it("a deleted post isn't shown, and an edited one is shown as it is now", async () => {
    const { alice, appView } = world
    appView.shows(timeline, { feed: [] })
    const gone = await publish()
    const kept = await publish()
    const record = { repo: alice.did, collection: postType }
    const send = (name: string, input: object) =>
      world.call(`com.atproto.repo.${name}`, { auth: alice.auth, input })
    ok(await send("deleteRecord", { ...record, rkey: rkeyOf(gone.uri) }))
    ok(await send("putRecord", { ...record, rkey: rkeyOf(kept.uri), record: post("edited") }))
    const { body } = await ask(timeline)
    assert.deepStrictEqual(
      body["feed"].map((item: Seen) => [item["post"].uri, item["post"].record.text]),
      [[kept.uri, "edited"]]
    )
  })

  it("a merged response says how far behind the AppView is", async () => {
    world.appView.shows(timeline, { feed: [] })
    await publish()
    world.advance(30_000)
    const { headers } = await ask(timeline)
    assert.isAtLeast(Number(headers.get(lag)), 30_000)
  })

  it("a merged response is private to the caller", async () => {
    world.appView.shows(timeline, { feed: [] })
    await publish()
    const { headers } = await ask(timeline)
    assert.strictEqual(headers.get("cache-control"), "private")
    assert.match(headers.get("access-control-expose-headers") ?? "", /Atproto-Upstream-Lag/i)
  })

  it("merging never makes a response worse, whatever its shape", async () => {
    const { alice, appView, bob, write } = world
    const view = postViewOf(bob, "3kbbbbbbbbb22")
    const { uri, cid } = view as { uri: string; cid: string }
    const embed = { $type: "app.bsky.embed.record", record: { uri, cid } }
    const reply = { root: { uri, cid }, parent: { uri, cid } }
    await write(alice, postType, { ...post("new"), embed, reply })
    const put = { repo: alice.did, collection: "app.bsky.actor.profile", rkey: "self" }
    const record = { $type: "app.bsky.actor.profile", displayName: "new" }
    ok(
      await world.call("com.atproto.repo.putRecord", {
        auth: alice.auth,
        input: { ...put, record }
      })
    )
    const good: Readonly<Record<string, Seen>> = {
      "app.bsky.actor.getProfile": profileViewOf(alice),
      "app.bsky.actor.getProfiles": { profiles: [profileViewOf(alice)] },
      "app.bsky.feed.getActorLikes": { feed: [{ post: view }] },
      "app.bsky.feed.getAuthorFeed": { feed: [{ post: view }] },
      "app.bsky.feed.getPostThread": { thread: threadOf(view, [threadOf(view)]) },
      "app.bsky.unspecced.getPostThreadV2": {
        hasOtherReplies: false,
        thread: [itemOf(view, 0)]
      },
      [timeline]: { feed: [{ post: view }] }
    }
    const odd = ["null", "7", "[]", "{}", '"text"', "[[]]", '{"length":1}', '{"__proto__":{}}']
    const params = { actor: alice.did, actors: alice.did, uri, anchor: uri }
    for (const [nsid, body] of Object.entries(good)) {
      const text = JSON.stringify(body)
      const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`
      const texts = [text.slice(1), "", `{"feed":${deep},"thread":${deep}}`, ...odd]
      // Each value of the valid response is replaced in turn.
      for (const { index } of text.matchAll(/:/g)) {
        for (const other of odd) {
          const rest = text.slice(index + 1)
          const value = /^("(?:[^"\\]|\\.)*"|\d+|\[\]|\{\}|[[{])/.exec(rest)?.[0] ?? ""
          if (value === "[" || value === "{") continue
          texts.push(`${text.slice(0, index + 1)}${other}${rest.slice(value.length)}`)
        }
      }
      appView.shows("app.bsky.feed.getPosts", { posts: [7, null, { uri }, view] })
      for (const each of texts) {
        appView.showsText(nsid, each)
        const { status, isPatched, text: given } = await askText(nsid, params)
        assert.strictEqual(status, 200, `${nsid} ${each.slice(0, 500)}`)
        if (isPatched) assert.doesNotThrow(() => JSON.parse(given))
        else assert.strictEqual(given, each)
      }
    }
  })

  const sign = (lxm: string) =>
    world.beneath(
      Effect.flatMap(Accounts, (accounts) =>
        Effect.result(
          accounts.call(world.alice.did, "signAppViewRead", {
            lxm: lxm as "app.bsky.feed.getPosts",
            aud: services.appView
          })
        )
      )
    )

  it("signAppViewRead signs only reads of an AppView", async () => {
    assert.strictEqual((await sign("app.bsky.feed.getPosts"))._tag, "Success")
    for (const lxm of ["com.atproto.server.createAccount", "chat.bsky.convo.getLog", "toString"]) {
      assert.strictEqual((await sign(lxm))._tag, "Failure", lxm)
    }
  })

  it("read-after-write requires authentication", async () => {
    world.appView.shows(timeline, { feed: [] })
    await publish()
    assert.strictEqual((await world.call(timeline)).status, 401)
    const token = await serviceToken(world, world.alice.did, { lxm: timeline })
    assert.notStrictEqual((await world.call(timeline, { auth: `Bearer ${token}` })).status, 200)
    assert.deepStrictEqual(world.appView.asked(), [])
  })
})
