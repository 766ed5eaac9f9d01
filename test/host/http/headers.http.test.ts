import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ownChecks } from "../../support/homes.ts"
import { basic } from "../../support/http/httpHost.ts"
import { allMethods, goodCall, samples } from "../../support/http/httpMethods.ts"
import { ok, startWorld, type World } from "../../support/http/httpWorld.ts"

const app = { origin: "https://app.example.com" }

describe("response headers", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  it("every response is readable from any origin, with the headers for signing in and waiting", async () => {
    const paths = ["/", "/robots.txt", "/xrpc/_health", "/xrpc/com.example.nothing", "/nowhere"]
    const answers = await Promise.all(paths.map((path) => world.ask(path, { headers: app })))
    for (const nsid of allMethods) {
      const { auth: _, ...asked } = await goodCall(world, nsid)
      const good = await goodCall(world, nsid)
      answers.push(await world.call(nsid, { ...asked, headers: { ...asked.headers, ...app } }))
      if (nsid === "com.atproto.server.deactivateAccount") continue
      answers.push(await world.call(nsid, { ...good, headers: { ...good.headers, ...app } }))
    }
    for (const { headers } of answers) {
      assert.strictEqual(headers.get("access-control-allow-origin"), "*")
      assert.isNull(headers.get("access-control-allow-credentials"))
      const exposed = headers.get("access-control-expose-headers")?.toLowerCase() ?? ""
      for (const name of ["www-authenticate", "dpop-nonce", "ratelimit-reset", "retry-after"]) {
        assert.include(exposed, name)
      }
    }
  })

  it("every method answers a preflight request, without credentials or counting", async () => {
    for (const nsid of allMethods) {
      const answer = await world.call(nsid, {
        method: "OPTIONS",
        headers: {
          ...app,
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,dpop,content-type,atproto-proxy"
        }
      })
      assert.strictEqual(answer.status, 204, nsid)
      assert.strictEqual(answer.headers.get("access-control-allow-origin"), "*")
      assert.include(answer.headers.get("access-control-allow-headers") ?? "", "dpop")
      assert.include(answer.headers.get("access-control-allow-methods") ?? "", "POST")
      assert.strictEqual(answer.headers.get("access-control-max-age"), "86400")
    }
  })

  it("responses to credentials stay out of shared caches", async () => {
    for (const nsid of allMethods) {
      if (samples[nsid]!.needs === "nobody") continue
      if (nsid === "com.atproto.server.deactivateAccount") continue
      const { headers, status } = await world.call(nsid, await goodCall(world, nsid))
      assert.strictEqual(status, 200, nsid)
      assert.strictEqual(headers.get("cache-control"), "private", nsid)
      assert.include(headers.get("vary") ?? "", "Authorization", nsid)
    }
    const { did, auth } = world.dora
    for (const [nsid, params] of [
      ["com.atproto.sync.getRepo", { did }],
      [
        "com.atproto.repo.getRecord",
        { repo: did, collection: "app.bsky.actor.profile", rkey: "self" }
      ],
      ["com.atproto.sync.getBlob", { did, cid: world.dora.avatar }]
    ] as const) {
      for (const shown of [auth, basic()]) {
        const { headers, status } = await world.call(nsid, { params, auth: shown })
        assert.strictEqual(status, 200, nsid)
        assert.strictEqual(headers.get("cache-control"), "private", nsid)
        assert.include(headers.get("vary") ?? "", "Authorization", nsid)
      }
    }
  })

  it("only the configured origins may read responses, if any are configured", async () => {
    const closed = await startWorld({ CORS_ORIGINS: "https://app.example.com" })
    const origins = async (origin: string) => {
      const { headers } = await closed.call("com.atproto.server.getSession", {
        auth: closed.alice.auth,
        headers: { origin }
      })
      assert.include(headers.get("vary") ?? "", "Origin")
      assert.include(headers.get("vary") ?? "", "Authorization")
      return headers.get("access-control-allow-origin")
    }
    assert.strictEqual(await origins("https://app.example.com"), "https://app.example.com")
    assert.isNull(await origins("https://other.example.com"))
    await closed.close()
  })

  it("every error has a type and reveals no internal cause", async () => {
    for (const nsid of [...allMethods, "com.example.nothing", "nonsense"]) {
      const { headers, status, body } = await world.call(nsid, {
        auth: "Bearer x.y.z",
        body: "{",
        method: "POST"
      })
      if (status === 405 || status === 426) continue
      assert.isAtLeast(status, 400, nsid)
      assert.match(headers.get("content-type") ?? "", /^application\/json/)
      assert.deepStrictEqual(Object.keys(body).toSorted(), ["error", "message"])
      assert.notMatch(body["message"], /\bat \S+:\d+|node:|Error:|SQLITE/)
    }
  })

  it("the pages beside the methods need no special headers", async () => {
    assert.include((await world.ask("/")).text, "AT Protocol")
    assert.include((await world.ask("/robots.txt")).text, "Allow")
    assert.isString(ok(await world.ask("/xrpc/_health"))["version"])
    assert.strictEqual((await world.ask("/nowhere")).status, 404)
    for (const path of ["/health", "/ready"]) {
      assert.deepStrictEqual(ok(await world.ask(path))["checks"], {
        d1: "ok",
        r2: "ok",
        ...ownChecks,
        sequencer: "ok"
      })
    }
  })
})
