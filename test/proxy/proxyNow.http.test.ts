import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { serveHost } from "../../src/http/host.ts"
import { direct } from "../support/http/direct.ts"
import { type Asked, bearer, requestOf } from "../support/http/httpHost.ts"
import { type LetIn, letIn, useUp, withApp } from "../support/http/httpApps.ts"
import { ok, session } from "../support/http/httpWorld.ts"
import { type MockWorld, startMockWorld } from "../support/network/mockWorld.ts"
import { claimsOf, services, tokenOf } from "../support/network/mockNetwork.ts"
import { type Received, sendJson } from "../support/network/mockService.ts"

const search = "app.bsky.feed.searchPosts"
const profile = "app.bsky.actor.getProfile"
const lag = "atproto-upstream-lag"
const chat = "chat.bsky.convo.listConvos"

/** A response without what differs between any two. */
const shown = async (response: Response) => ({
  status: response.status,
  text: (await response.text()).replace(/,"requestId":"[^"]*"/, ""),
  headers: Object.fromEntries(
    [...response.headers].map(([name, value]) => [
      name,
      [lag, "dpop-nonce", "x-request-id"].includes(name) ? "some" : value
    ])
  )
})

/** A request as the service got it, with the claims of its token instead of the token. */
const received = (one: Received) => {
  const { jti, iat, exp, ...claims } = claimsOf(tokenOf(one))
  assert.isString(jti)
  assert.strictEqual(Number(exp) - Number(iat), 60)
  const { authorization: _, ...headers } = one.headers
  return { method: one.method, path: one.path, search: one.search, headers, claims }
}

describe("a proxied read without a fiber", () => {
  let world: MockWorld
  beforeAll(async () => {
    world = await startMockWorld({ CORS_ORIGINS: "https://app.example.com" })
  })
  afterAll(() => world.close())

  /** Sends a request both ways and compares the responses, and what the services got. */
  const compare = async (name: string, path: string, asked: Asked | (() => Promise<Asked>)) => {
    const { all } = world.services
    const both = []
    const ways = [
      (request: Request) => direct(world, request),
      (request: Request) => world.beneath(serveHost(request))
    ]
    for (const way of ways) {
      const before = all.map((service) => service.received.length)
      const made = typeof asked === "function" ? await asked() : asked
      const response = await way(requestOf(`/xrpc/${path}`, made))
      assert.isDefined(response, `${name} takes no fiber at first`)
      both.push({
        answer: await shown(response!),
        got: all.map((service, at) => service.received.slice(before[at]).map(received))
      })
    }
    assert.deepStrictEqual(both[0], both[1], name)
    return both[0]!
  }

  it("a proxied read gets the same response with and without a fiber", async () => {
    const { alice, carol, dora } = world
    const { appView } = world.services
    const { auth } = alice
    const posts = { posts: [], cursor: "é" }
    const body = JSON.stringify(posts)
    const length = String(Buffer.byteLength(body))
    // The isolate knows every account.
    for (const person of [alice, carol, dora]) {
      await world.call("com.atproto.repo.getRecord", {
        params: { repo: person.did, collection: "app.bsky.feed.post", rkey: "none" }
      })
    }

    appView.on(search, (_, response) => {
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": length,
        "atproto-content-labelers": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",
        "set-cookie": "a=b",
        "x-other": "1",
        etag: '"1"'
      })
      response.end(body)
    })
    const headers = {
      origin: "https://app.example.com",
      "accept-language": "pt",
      "accept-encoding": "gzip, br",
      "atproto-accept-labelers": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",
      "x-bsky-topics": "a",
      "x-atproto-own": "b",
      "if-none-match": '"0"',
      cookie: "c=d"
    }
    const whole = await compare("a success", `${search}?q=%C3%A9+b&limit=5`, { auth, headers })
    assert.strictEqual(whole.answer.text, body)
    const [asked] = whole.got.flat()
    assert.deepInclude(asked?.claims, { iss: alice.did, aud: services.appView, lxm: search })

    const other = { origin: "https://other.example.com" }
    await compare("another origin", search, { auth, headers: other })
    const named = (value: string) => ({ auth, headers: { "atproto-proxy": value } })
    await compare("a named service", search, named(`${services.appView}#bsky_appview`))

    const refused: ReadonlyArray<readonly [name: string, path: string, auth: string]> = [
      ["a wrong signature", search, `${auth.slice(0, -8)}AAAAAAAA`],
      ["a refresh token", search, bearer((await session(world, alice.did, "full")).refreshJwt)],
      ["an account that was taken down", search, carol.auth],
      ["a deactivated account", search, dora.auth],
      [
        "a session without chats",
        chat,
        bearer((await session(world, alice.did, "standard")).accessJwt)
      ],
      ["an unknown method", "com.example.none", auth]
    ]
    for (const [name, path, caller] of refused) {
      const { answer } = await compare(name, path, { auth: caller })
      assert.isAtLeast(answer.status, 400, name)
    }

    const ended = await session(world, alice.did, "full")
    ok(
      await world.call("com.atproto.server.deleteSession", {
        input: {},
        auth: bearer(ended.refreshJwt)
      })
    )
    const revoked = await compare("an ended session", search, { auth: bearer(ended.accessJwt) })
    assert.include(revoked.answer.text, "ExpiredToken")

    const failures: ReadonlyArray<readonly [name: string, status: number, body: unknown]> = [
      ["an error's own name", 400, { error: "OwnName", message: "its words" }],
      ["an error without a name", 404, {}],
      ["the service's fault", 500, { error: "Broken" }],
      ["an error that is passed on", 503, { error: "Later" }],
      ["a redirect", 302, {}]
    ]
    for (const [name, status, fault] of failures) {
      appView.on(search, (_, response) => {
        sendJson(response, status, fault, { "retry-after": "7", location: "https://elsewhere" })
      })
      await compare(name, search, { auth })
    }

    appView.on(search, (_, response) => void response.writeHead(304, { etag: '"0"' }).end())
    await compare("nothing new", search, { auth, headers })
    appView.on(search, (_, response) => void response.writeHead(200).end(body))
    await compare("a response without a length", search, { auth })
    appView.on(search, (_, response) => void response.socket?.destroy())
    const broken = await compare("a broken connection", search, { auth })
    assert.strictEqual(broken.answer.status, 502)
    // Both ways try a second time.
    assert.lengthOf(broken.got.flat(), 2)
  })

  it("a response that lacks the caller's writes is patched either way", async () => {
    const { alice, services: mocks } = world
    const view = { did: alice.did, handle: alice.handle, displayName: "the name before" }
    const latest = async () =>
      ok(await world.call("com.atproto.sync.getLatestCommit", { params: { did: alice.did } }))[
        "rev"
      ]
    const behind = await latest()
    const record = { $type: "app.bsky.actor.profile", displayName: "the name now" }
    const input = { repo: alice.did, collection: record.$type, rkey: "self", record }
    ok(await world.call("com.atproto.repo.putRecord", { auth: alice.auth, input }))
    for (const rev of [behind, await latest(), "no rev"]) {
      mocks.appView.on(profile, (_, response) => {
        const length = String(Buffer.byteLength(JSON.stringify(view)))
        sendJson(response, 200, view, { "atproto-repo-rev": rev, "content-length": length })
      })
      const { answer } = await compare(rev, `${profile}?actor=${alice.did}`, { auth: alice.auth })
      assert.strictEqual(lag in answer.headers, rev === behind, rev)
    }
  })

  it("an app's read gets the same response with and without a fiber", async () => {
    const { alice, dora, services: mocks } = world
    mocks.appView.on(search, (_, response) => {
      const length = String(Buffer.byteLength(JSON.stringify({ posts: [] })))
      const headers = { "content-length": length, "cache-control": "public, max-age=60" }
      sendJson(response, 200, { posts: [] }, headers)
    })
    const generic = "atproto transition:generic"
    const by = async (granted: string, who = alice) => letIn(world, who.did, granted)
    const call = (app: LetIn, change: Parameters<typeof withApp>[4] = {}) =>
      compare(JSON.stringify(change), search, () => withApp(world, app, search, {}, change))
    const right = await call(await by(generic))
    assert.strictEqual(right.answer.status, 200)
    assert.include(right.answer.headers["cache-control"], "private")
    assert.isDefined(right.answer.headers["dpop-nonce"])
    assert.deepInclude(right.got.flat()[0]?.claims, { iss: alice.did, lxm: search })
    assert.notProperty(right.got.flat()[0]?.headers, "dpop")

    const rpc = `atproto rpc:${search}?aud=${services.appView}%23bsky_appview`
    assert.strictEqual((await call(await by(rpc))).answer.status, 200)
    const refused = await call(await by("atproto"))
    assert.strictEqual(refused.answer.status, 403)
    assert.include(refused.answer.headers["www-authenticate"], "insufficient_scope")
    assert.lengthOf(refused.got.flat(), 0)
    assert.include((await call(await by(generic, dora))).answer.text, "AccountDeactivated")
    for (const claims of [
      { htm: "POST" },
      { htu: "http://localhost:8787/authorize" },
      { ath: undefined },
      { nonce: "old" },
      { iat: 1 }
    ]) {
      const { answer, got } = await call(await by(generic), { claims })
      assert.strictEqual(answer.status, 401, JSON.stringify(claims))
      assert.lengthOf(got.flat(), 0)
    }
    const replayed = await by(generic)
    const used = await withApp(world, replayed, search)
    await useUp(world, replayed, search, used)
    const again = await compare("a used proof", search, used)
    assert.include(again.answer.text, "DPoP proof was used before")
    await compare("no app's token", search, { auth: alice.auth.replace("Bearer", "DPoP") })
  })

  it("every other proxied request runs in a fiber", async () => {
    const { alice } = world
    const { auth } = alice
    const others: ReadonlyArray<readonly [path: string, asked: Asked]> = [
      [search, {}],
      [search, { auth, method: "HEAD" }],
      [search, { auth, input: {} }],
      [search, { auth, headers: { "atproto-proxy": "did:web:other.example.com#service" } }],
      [search, { auth, headers: { "atproto-proxy": "no service" } }],
      ["app.bsky.feed.getFeed?feed=at://did:web:a.example.com/app.bsky.feed.generator/a", { auth }],
      ["com.atproto.server.unknown", { auth }],
      ["app.bsky.actor.getPreferences", { auth, headers: { "atproto-proxy": "did:web:a.b#c" } }]
    ]
    for (const [path, asked] of others) {
      assert.isUndefined(
        await direct(world, requestOf(`/xrpc/${path}`, asked)),
        `${path} ${JSON.stringify(asked)}`
      )
    }
  })
})
