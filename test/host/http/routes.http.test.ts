import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { routes } from "../../../src/http/host.ts"
import { type Answered, basic, origin } from "../../support/http/httpHost.ts"
import { ok, outcomeOf, startWorld, type World } from "../../support/http/httpWorld.ts"

const describeServer = "/xrpc/com.atproto.server.describeServer"

const from = (address: string) => ({ "cf-connecting-ip": address })

const remaining = ({ headers }: Answered) => Number(headers.get("ratelimit-remaining"))

/** Each route's verb and a matching path; the last path has no route. */
const places = [
  ...routes.map(({ verb, path }) => ({
    verb: verb === "*" ? "GET" : verb,
    path: path === "/xrpc/*" ? "/xrpc/com.example.nothing" : path.replace("*", "devices")
  })),
  { verb: "GET", path: "/nowhere" }
]

describe("every route", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ RATE_LIMITS: "on" })
  })
  afterAll(() => world.close())

  it("every route counts once towards its address's general limit", async () => {
    const left = async () =>
      remaining(await world.ask(describeServer, { headers: from("192.0.2.1") }))
    for (const { verb, path } of places) {
      const before = await left()
      await world.ask(path, { method: verb, headers: from("192.0.2.1") })
      assert.strictEqual(await left(), before - 2, `${verb} ${path}`)
    }
  })

  it("every route rejects an address whose limit is used up, in its own form", async () => {
    for (;;) {
      const answer = await world.ask(describeServer, { headers: from("192.0.2.2") })
      if (answer.status === 429) break
    }
    for (const { verb, path } of places) {
      const { status, headers } = await world.ask(path, {
        method: verb,
        headers: from("192.0.2.2")
      })
      assert.strictEqual(status, 429, `${verb} ${path}`)
      assert.isNotNull(headers.get("retry-after"))
    }
    const page = await world.ask("/account", { headers: from("192.0.2.2") })
    assert.include(page.text, "Too many attempts")
    const token = await world.ask("/oauth/token", { method: "POST", headers: from("192.0.2.2") })
    assert.strictEqual(token.body["error"], "temporarily_unavailable")
  })
})

describe("an unknown path", () => {
  it("an unknown path returns a page to a browser and a line to other clients", async () => {
    const world = await startWorld()
    const page = await world.ask("/nowhere", { headers: { accept: "text/html,*/*" } })
    assert.strictEqual(page.status, 404)
    assert.include(page.text, "<h1>Page not found</h1>")
    const line = await world.ask("/nowhere", { headers: { accept: "*/*" } })
    assert.strictEqual(`${line.status} ${line.text}`, "404 Not Found\n")
    assert.include(line.headers.get("vary") ?? "", "accept")
    await world.close()
  })
})

describe("wrong administrator passwords", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ RATE_LIMITS: "on" })
  })
  afterAll(() => world.close())

  it("wrong passwords count together on every route, and after 30 even the right one is rejected", async () => {
    const headers = from("192.0.2.1")
    const ask = (auth: string, at: number) => {
      const { verb, path } = places[at % places.length]!
      return world.ask(path, { method: verb, auth, headers })
    }
    for (let at = 0; at < 30; at++) {
      assert.notStrictEqual((await ask(basic(`guess ${at}`), at)).status, 429)
    }
    for (let at = 0; at < places.length; at++) {
      assert.strictEqual((await ask(basic("one more"), at)).status, 429)
    }
    const info = (address: string, auth = basic()) =>
      world.call("com.atproto.admin.getAccountInfo", {
        params: { did: world.alice.did },
        auth,
        headers: from(address)
      })
    assert.strictEqual(outcomeOf(await info("192.0.2.1")), "429 RateLimitExceeded")
    ok(await info("192.0.2.2"))
    const repo = await world.call("com.atproto.sync.getRepo", {
      params: { did: world.carol.did },
      auth: basic(),
      headers
    })
    assert.strictEqual(repo.status, 429)
    world.advance(301_000)
    ok(await info("192.0.2.1"))
  })

  it("concurrent wrong passwords count exactly, and the right one takes no point", async () => {
    const call = (auth: string) => world.ask("/admin/relays", { auth, headers: from("192.0.2.3") })
    const right = await Promise.all(Array.from({ length: 40 }, () => call(basic())))
    assert.isTrue(right.every(({ status }) => status === 200))
    const wrong = await Promise.all(Array.from({ length: 50 }, (_, at) => call(basic(`no ${at}`))))
    assert.lengthOf(
      wrong.filter(({ status }) => status === 401),
      30
    )
  })

  it("only `admin` credentials count, and no other Basic credentials", async () => {
    const call = (auth: string) => world.ask("/admin/relays", { auth, headers: from("192.0.2.4") })
    for (let at = 0; at < 40; at++) {
      assert.strictEqual((await call(basic("x", "client"))).status, 401)
    }
    assert.strictEqual((await call(basic())).status, 200)
  })
})

describe("CORS on every route", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  it("pages and responses with cookies are closed to other origins, and everything else is open", async () => {
    const isOpen = ({ headers }: Answered) => headers.has("access-control-allow-origin")
    const accept = { accept: "text/html", origin: "https://app.example.com" }
    let pages = 0
    for (const { verb, path } of places) {
      const form = { "content-type": "application/x-www-form-urlencoded", origin }
      for (const more of [{}, form]) {
        const answer = await world.ask(path, { method: verb, headers: { ...accept, ...more } })
        const { headers } = answer
        const isPage =
          headers.get("content-type")?.startsWith("text/html") === true ||
          headers.has("set-cookie") ||
          answer.status === 303
        assert.strictEqual(isOpen(answer), !isPage, `${verb} ${path}`)
        if (isPage) pages += 1
      }
    }
    assert.isAbove(pages, 20)
  })

  it("a blob of HTML is open, because it is a file", async () => {
    const auth = world.alice.auth
    const html = new TextEncoder().encode("<!doctype html><p>hello</p>")
    const uploaded = await world.call("com.atproto.repo.uploadBlob", {
      auth,
      body: html,
      headers: { "content-type": "text/html" }
    })
    const blob = ok(uploaded)["blob"]
    const record = { $type: "com.example.page", blob }
    ok(
      await world.call("com.atproto.repo.createRecord", {
        auth,
        input: { repo: world.alice.did, collection: "com.example.page", record }
      })
    )
    const answer = await world.call("com.atproto.sync.getBlob", {
      params: { did: world.alice.did, cid: blob.ref.$link }
    })
    assert.strictEqual(answer.status, 200)
    assert.include(answer.headers.get("content-type") ?? "", "text/html")
    assert.strictEqual(answer.headers.get("access-control-allow-origin"), "*")
  })
})
