import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Answered } from "../../support/http/httpHost.ts"
import { firstRkey, startWorld, type World } from "../../support/http/httpWorld.ts"

/** A credential that public methods ignore, and that takes a request off the short way. */
const meaningless = "Bearer not.a.token"

const shown = ({ status, headers, text }: Answered) => ({
  status,
  text,
  headers: Object.fromEntries(
    [...headers].filter(([name]) => name !== "x-request-id" && name !== "ratelimit-remaining")
  )
})

describe("public queries that are answered at once", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ RATE_LIMITS: "on", CORS_ORIGINS: "https://app.example.com" })
  })
  afterAll(() => world.close())

  it("a query gets the same response with and without a fiber", async () => {
    const { alice, carol, dora } = world
    const collection = "app.bsky.feed.post"
    const of = (params: object) => `${new URLSearchParams(params as Record<string, string>)}`
    const record = (more: object) =>
      `com.atproto.repo.getRecord?${of({ repo: alice.did, collection, rkey: firstRkey, ...more })}`
    const list = (more: object) =>
      `com.atproto.repo.listRecords?${of({ repo: alice.did, collection, ...more })}`
    const asked = [
      "com.atproto.server.describeServer",
      "com.atproto.server.describeServer?unknown=1",
      record({}),
      record({ repo: alice.handle }),
      record({ repo: carol.did }),
      record({ repo: dora.did }),
      record({ repo: "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa" }),
      record({ repo: "nobody" }),
      record({ cid: alice.post }),
      record({ cid: "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm" }),
      record({ rkey: "missing" }),
      record({ rkey: "" }),
      record({ collection: "no nsid" }),
      `${record({})}&rkey=another`,
      list({}),
      list({ limit: "1" }),
      list({ limit: "0" }),
      list({ limit: "many" }),
      list({ reverse: "true", cursor: firstRkey }),
      list({ repo: dora.did }),
      list({ collection: "com.example.none" })
    ]
    for (const origin of ["https://app.example.com", "https://other.example.com"]) {
      for (const path of asked) {
        const headers = { origin }
        const atOnce = await world.ask(`/xrpc/${path}`, { headers })
        const inFiber = await world.ask(`/xrpc/${path}`, { headers, auth: meaningless })
        assert.deepStrictEqual(shown(atOnce), shown(inFiber), path)
        assert.match(atOnce.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/)
        assert.isTrue(atOnce.headers.has("ratelimit-remaining"))
      }
    }
  })
})
