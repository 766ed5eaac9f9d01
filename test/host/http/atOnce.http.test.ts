import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { accountMethods } from "../../../src/http/methods.ts"
import { withFiber, withoutFiber } from "../../support/http/direct.ts"
import { credentials } from "../../support/http/httpCredentials.ts"
import type { Answered, Asked } from "../../support/http/httpHost.ts"
import { samples } from "../../support/http/httpMethods.ts"
import { moderatorEnv, publishModerator } from "../../support/http/httpModerator.ts"
import {
  firstRkey,
  ok,
  post,
  signUp,
  startWorld,
  tidOf,
  type World
} from "../../support/http/httpWorld.ts"

/** A credential that public methods ignore, and that takes a request off the short way. */
const meaningless = "Bearer not.a.token"

const shown = ({ status, headers, text }: Answered) => ({
  status,
  // What differs between any two tokens.
  text: text.replace(/"token":"[\w.-]+"/, '"token":""'),
  headers: Object.fromEntries(
    [...headers].filter(([name]) => name !== "x-request-id" && name !== "ratelimit-remaining")
  )
})

/** The queries of an account's object that are answered without a fiber. */
const queries = [...accountMethods.values()].filter(({ atOnce }) => atOnce !== undefined)

describe("calls that are answered at once", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({
      ...moderatorEnv,
      RATE_LIMITS: "on",
      CORS_ORIGINS: "https://app.example.com"
    })
    await publishModerator(world)
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

  it("every caller's query gets the same response with and without a fiber", async () => {
    for (const query of queries) {
      const { nsid } = query
      const answers = new Map<string, Answered>()
      for (const [name, { about, header }] of Object.entries(credentials)) {
        const asked = await samples[nsid]!.make(world, about(world))
        const both = { ...asked, headers: { origin: "https://app.example.com" } }
        const atOnce = await world.call(nsid, { ...both, auth: await header(world, nsid) })
        const auth = await header(world, nsid)
        const inFiber = await withFiber(query, () => world.call(nsid, { ...both, auth }))
        assert.deepStrictEqual(shown(atOnce), shown(inFiber), `${nsid} ${name}`)
        answers.set(name, atOnce)
      }
      const cached = answers.get("full")?.headers.get("cache-control")
      assert.strictEqual(cached, query.authority.kind === "none" ? null : "private", nsid)
    }
  })

  it("a session's query takes no fiber, with a DID of either method", async () => {
    const people = [world.bob, await signUp(world, "paula", "plc")]
    for (const query of queries) {
      const { nsid } = query
      for (const person of people) {
        const asked = await samples[nsid]!.make(world, person)
        // The first look-up of a DID's document has to wait.
        ok(await world.call(nsid, { ...asked, auth: person.auth }))
        const ask = () => world.call(nsid, { ...asked, auth: person.auth })
        assert.strictEqual((await withoutFiber(query, ask)).status, 200, `${nsid} ${person.did}`)
      }
    }
  })

  it("a write gets the same response with and without a fiber", async () => {
    const { alice, bob } = world
    const collection = "app.bsky.feed.post"
    const repo = alice.did
    const record = post("the same as before")
    const rkey = tidOf(world.next())
    const auth = alice.auth
    const other = "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm"
    ok(
      await world.call("com.atproto.repo.createRecord", {
        auth,
        input: { repo, collection, rkey, record }
      })
    )
    const asked: ReadonlyArray<readonly [nsid: string, given: Partial<Asked>]> = [
      ["putRecord", { input: { repo, collection, rkey, record } }],
      ["putRecord", { input: { repo, collection, rkey, record, swapRecord: other } }],
      ["putRecord", { input: { repo, collection, rkey, record, swapRecord: null } }],
      ["putRecord", { input: { repo, collection, rkey, record, swapCommit: other } }],
      ["putRecord", { input: { repo, collection, rkey, record, swapCommit: "no cid" } }],
      ["createRecord", { input: { repo, collection, rkey, record } }],
      ["createRecord", { input: { repo: bob.did, collection, record } }],
      ["createRecord", { input: { repo: "nobody.example.com", collection, record } }],
      ["createRecord", { input: { repo, collection, record: { $type: collection } } }],
      ["createRecord", { input: { repo, collection } }],
      ["createRecord", { body: "{", headers: { "content-type": "application/json" } }],
      ["createRecord", { body: "{}", headers: { "content-type": "text/plain" } }],
      ["createRecord", { body: "" }],
      ["deleteRecord", { input: { repo, collection, rkey: "3kaaaaaaaaazz" } }],
      ["applyWrites", { input: { repo, writes: [] } }]
    ]
    for (const [name, given] of asked) {
      const path = `/xrpc/com.atproto.repo.${name}`
      const atOnce = await world.ask(path, { auth, ...given })
      const inFiber = await world.ask(`${path}?unknown=1`, { auth, ...given })
      assert.deepStrictEqual(shown(atOnce), shown(inFiber), `${name} ${JSON.stringify(given)}`)
    }
  })
})
