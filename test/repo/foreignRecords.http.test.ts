import { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { firstRkey, outcomeOf } from "../support/http/httpWorld.ts"
import { sendJson } from "../support/network/mockService.ts"
import { type MockWorld, startMockWorld } from "../support/network/mockWorld.ts"

const nsid = "com.atproto.repo.getRecord"
const repo = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
const place = { collection: "app.bsky.feed.post", rkey: firstRkey }
const value = { $type: "app.bsky.feed.post", text: "far away", createdAt: "2026-01-01T00:00:00Z" }

describe("getRecord for a repo on another server", () => {
  let world: MockWorld
  beforeAll(async () => {
    world = await startMockWorld()
    world.services.appView.on(nsid, ({ params }, response) => {
      const uri = `at://${params.get("repo")}/${params.get("collection")}/${params.get("rkey")}`
      if (params.get("rkey") === firstRkey) return { uri, value }
      return sendJson(response, 400, { error: "RecordNotFound", message: "no such record" })
    })
  })
  afterAll(() => world.close())

  const asked = () => world.services.appView.received.length

  it("getRecord fetches a foreign record from the AppView, by DID or handle", async () => {
    const agent = new AtpAgent({
      service: "http://localhost:8787",
      fetch: (input: string | URL | Request, init?: RequestInit) =>
        world.handler(new Request(input, init))
    })
    for (const name of [repo, "far.away.example.com"]) {
      const { data } = await agent.com.atproto.repo.getRecord({ repo: name, ...place })
      assert.deepStrictEqual(data.value, value)
      assert.strictEqual(world.services.appView.last().params.get("repo"), name)
    }
  })

  it("getRecord asks the AppView without credentials, and for this record only", async () => {
    const headers = { cookie: "device=1", "atproto-proxy": "did:web:evil.example.com#view" }
    const answer = await world.call(nsid, {
      params: { repo, ...place, more: "x" },
      auth: world.alice.auth,
      headers
    })
    assert.strictEqual(answer.status, 200, answer.text)
    const last = world.services.appView.last()
    assert.isUndefined(last.headers.authorization)
    assert.isUndefined(last.headers.cookie)
    assert.deepStrictEqual(Object.fromEntries(last.params), { repo, ...place })
    assert.include(answer.headers.get("content-security-policy") ?? "", "sandbox")
  })

  it("getRecord passes on the AppView's errors", async () => {
    const missing = await world.call(nsid, { params: { repo, ...place, rkey: "other" } })
    assert.strictEqual(outcomeOf(missing), "400 RecordNotFound")
    assert.strictEqual(missing.body["message"], "no such record")
    const { appView } = world.services
    appView.on("com.atproto.repo.getRecord", (_, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<script>alert(1)</script>")
    )
    const page = await world.call(nsid, { params: { repo, ...place } })
    assert.strictEqual(outcomeOf(page), "502 UpstreamFailure")
    assert.notInclude(page.text, "script")
  })

  it("getRecord doesn't ask the AppView for a repo that is here or can't exist elsewhere", async () => {
    const { alice, carol, dora } = world
    const before = asked()
    const outcomes = [
      [{ repo: alice.did, ...place }, "ok"],
      [{ repo: alice.handle, ...place }, "ok"],
      [{ repo: alice.did, ...place, rkey: "other" }, "400 RecordNotFound"],
      [{ repo: carol.did, ...place }, "400 RepoTakendown"],
      [{ repo: dora.did, ...place }, "400 RepoDeactivated"],
      [{ repo: "nobody.test", ...place }, "400 RepoNotFound"],
      [{ repo: "did:web:nobody.test", ...place }, "400 RepoNotFound"],
      [{ repo: "did:example:x", ...place }, "400 RepoNotFound"],
      [{ repo, collection: "no nsid", rkey: "x" }, "400 InvalidRequest"],
      [{ ...place }, "400 InvalidRequest"]
    ] as const
    for (const [params, outcome] of outcomes) {
      assert.strictEqual(outcomeOf(await world.call(nsid, { params })), outcome)
    }
    const list = { repo, collection: place.collection }
    const listed = await world.call("com.atproto.repo.listRecords", { params: list })
    assert.strictEqual(outcomeOf(listed), "400 RepoNotFound")
    assert.strictEqual(asked(), before)
  })

  it("getRecord returns RepoNotFound without an AppView", async () => {
    const alone = await startMockWorld({ APP_VIEW: "none" })
    for (const name of [repo, "far.away.example.com"]) {
      const answer = await alone.call(nsid, { params: { repo: name, ...place } })
      assert.strictEqual(outcomeOf(answer), "400 RepoNotFound")
    }
    await alone.close()
  })
})
