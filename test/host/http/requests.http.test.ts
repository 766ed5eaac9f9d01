import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { post, startWorld, type World } from "../../support/http/httpWorld.ts"

describe("any request", () => {
  const lines: Array<Record<string, unknown>> = []
  const { log } = console
  let world: World
  beforeAll(async () => {
    console.log = (line: unknown) => {
      const entry = JSON.parse(String(line))
      if (entry.message === "request") lines.push(entry.annotations)
    }
    world = await startWorld({ LOG_LEVEL: "info" })
  })
  afterAll(async () => {
    console.log = log
    await world.close()
  })

  /** The log lines written meanwhile. */
  const logged = async (ask: () => Promise<unknown>) => {
    lines.length = 0
    await ask()
    return lines.map(({ http, method, account, status }) => ({ http, method, account, status }))
  }

  it("a page can be requested with HEAD, as monitors do", async () => {
    const pages = ["/", "/health", "/ready", "/robots.txt", "/.well-known/did.json"]
    for (const path of [...pages, "/xrpc/_health", "/xrpc/com.atproto.server.describeServer"]) {
      assert.strictEqual((await world.ask(path, { method: "HEAD" })).status, 200, path)
    }
    assert.strictEqual((await world.ask("/nowhere", { method: "HEAD" })).status, 404)
  })

  it("an unreadable path is answered and logged like any other", async () => {
    const xrpc = ["/xrpc/%zz", "/xrpc/%E0%A4%A", "/xrpc/", "/xrpc//"]
    for (const path of [...xrpc, "/%zz", `/${"a".repeat(5000)}`]) {
      const line = await logged(async () => {
        const answer = await world.ask(path)
        assert.strictEqual(answer.status, xrpc.includes(path) ? 400 : 404, path)
        assert.strictEqual(answer.headers.get("access-control-allow-origin"), "*", path)
        if (xrpc.includes(path)) assert.strictEqual(answer.body["error"], "InvalidRequest")
      })
      assert.lengthOf(line, 1, path)
    }
    const long = `com.example.${"a.".repeat(120)}name`
    assert.strictEqual((await world.call(long)).status, 501)
  })

  it("a request logs one line with its account", async () => {
    const { alice, bob } = world
    const about = async (nsid: string, asked: Parameters<World["call"]>[1]) => {
      const made = await logged(() => world.call(nsid, asked))
      assert.lengthOf(made, 1, nsid)
      assert.strictEqual(made[0]?.method, nsid)
      assert.strictEqual(made[0]?.status, 200, nsid)
      return made[0]?.account
    }
    const input = { repo: alice.did, collection: "app.bsky.feed.post", record: post() }
    assert.strictEqual(
      await about("com.atproto.repo.createRecord", { auth: alice.auth, input }),
      alice.did
    )
    assert.strictEqual(
      await about("com.atproto.repo.uploadBlob", {
        auth: alice.auth,
        body: new Uint8Array([1, 2, 3]),
        headers: { "content-type": "image/png" }
      }),
      alice.did
    )
    assert.strictEqual(
      await about("com.atproto.sync.getBlob", { params: { did: bob.did, cid: bob.avatar } }),
      bob.did
    )
    for (const identifier of [bob.email, bob.handle, bob.did]) {
      assert.strictEqual(
        await about("com.atproto.server.createSession", {
          input: { identifier, password: bob.password }
        }),
        bob.did
      )
    }
    const nobody = await logged(() =>
      world.call("com.atproto.server.createSession", {
        input: { identifier: "nobody.test", password: "wrong" }
      })
    )
    assert.deepInclude(nobody[0], { status: 401, account: undefined })
    assert.isUndefined(await about("com.atproto.server.describeServer", {}))
  })

  it("a request logs its route's path rather than its own", async () => {
    for (const [path, method] of [
      ["/Ready/", "/ready"],
      ["/account/reset?code=x", "/account/*"],
      ["/account/whatever", "/account/*"],
      ["/xrpc/_health", "/xrpc/_health"],
      ["/xrpc/whatever", "/xrpc/*"],
      ["/xrpc/com.example.unknown", "com.example.unknown"],
      ["/nowhere", "unknown"]
    ]) {
      const made = await logged(() => world.ask(path!))
      assert.deepStrictEqual(
        made.map((line) => line.method),
        [method],
        path
      )
    }
  })

  it("a preflight request also logs a line", async () => {
    const headers = { origin: "https://app.example.com", "access-control-request-method": "POST" }
    const made = await logged(() =>
      world.call("com.atproto.repo.createRecord", { method: "OPTIONS", headers })
    )
    assert.deepStrictEqual(made, [
      {
        http: "OPTIONS",
        method: "com.atproto.repo.createRecord",
        account: undefined,
        status: 204
      }
    ])
  })
})
