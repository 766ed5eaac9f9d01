import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { accountMethods } from "../../../src/http/methods.ts"
import { serveHost } from "../../../src/http/host.ts"
import { direct, type Ways } from "../../support/http/direct.ts"
import { credentials } from "../../support/http/httpCredentials.ts"
import { type Asked, requestOf } from "../../support/http/httpHost.ts"
import { samples } from "../../support/http/httpMethods.ts"
import { moderatorEnv, publishModerator } from "../../support/http/httpModerator.ts"
import { signUp, startWorld, type World } from "../../support/http/httpWorld.ts"

/** A response without what differs between any two. */
const shown = async (response: Response) => ({
  status: response.status,
  text: (await response.text())
    .replace(/"token":"[\w.-]+"/, '"token":""')
    .replace(/,"requestId":"[^"]*"/, ""),
  headers: Object.fromEntries(
    [...response.headers].filter(
      ([name]) => name !== "x-request-id" && name !== "ratelimit-remaining"
    )
  )
})

/** Those who are always asked for. */
const plain = ["nothing", "full", "privileged", "standard", "readOnly"]

const settings: ReadonlyArray<Readonly<Record<string, string>>> = [
  { RATE_LIMITS: "on", CORS_ORIGINS: "https://app.example.com" },
  { RATE_LIMITS: "off" }
]

for (const env of settings) {
  describe(`a query that is asked for with ${JSON.stringify(env)}`, () => {
    let world: World
    beforeAll(async () => {
      world = await startWorld({ ...moderatorEnv, ...env })
      await publishModerator(world)
    })
    afterAll(() => world.close())

    /** The response to a query both ways; undefined if the first takes a fiber. */
    const both = async (nsid: string, asked: Asked, headers: () => Promise<string | undefined>) => {
      const query = new URLSearchParams(asked.params as Record<string, string>).toString()
      const request = async () => {
        const auth = await headers()
        const origin = { origin: "https://app.example.com" }
        return requestOf(`/xrpc/${nsid}?${query}`, {
          headers: origin,
          ...(auth === undefined ? {} : { auth })
        })
      }
      const ways: Ways = { forwarded: 0, asked: 0 }
      const short = await direct(world, await request(), ways)
      if (short === undefined) return undefined
      assert.match(short.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/)
      const limited = short.headers.has("ratelimit-remaining")
      assert.strictEqual(limited, env["RATE_LIMITS"] === "on")
      const long = await world.beneath(serveHost(await request()))
      return { short: await shown(short), long: await shown(long), ways }
    }

    it("every caller gets the response of the usual way", async () => {
      const queries = [...accountMethods.values()].filter(({ atOnce }) => atOnce !== undefined)
      assert.isNotEmpty(queries)
      for (const { nsid, authority } of queries) {
        for (const [name, { about, header }] of Object.entries(credentials)) {
          const asked = await samples[nsid]!.make(world, about(world))
          const auth = await header(world, nsid)
          const found = await both(nsid, asked, async () =>
            plain.includes(name) ? auth : header(world, nsid)
          )
          const which = `${nsid} ${name}`
          const takesSession = name !== "nothing" || authority.kind !== "session"
          if (found === undefined) {
            assert.isFalse(plain.includes(name) && takesSession, which)
            continue
          }
          assert.deepStrictEqual(found.short, found.long, which)
          assert.deepStrictEqual(found.ways, { forwarded: 0, asked: 1 }, which)
        }
      }
    })

    it("failures are those of the usual way", async () => {
      const collection = "app.bsky.feed.post"
      const repo = world.alice.did
      const failing: ReadonlyArray<Record<string, string>> = [
        { repo, collection, rkey: "missing" },
        { repo, collection, rkey: "" },
        { repo, collection: "no nsid", rkey: "a" },
        { repo: world.carol.did, collection, rkey: "a" },
        { repo, collection }
      ]
      for (const params of failing) {
        const found = await both("com.atproto.repo.getRecord", { params }, async () => undefined)
        assert.isAtLeast(found?.short.status ?? 0, 400, JSON.stringify(params))
        assert.deepStrictEqual(found?.short, found?.long, JSON.stringify(params))
      }
    })

    it("an object that has to look up a document is asked once", async () => {
      const { auth } = await signUp(world, "paula", "plc")
      const get = () => both("com.atproto.server.getSession", {}, async () => auth)
      for (const minutes of [0, 0, 61]) {
        world.advance(minutes * 60_000)
        const found = await get()
        assert.deepStrictEqual(found?.ways, { forwarded: 0, asked: 1 })
        assert.deepStrictEqual(found?.short, found?.long)
      }
    })

    it("an object of a version before, which doesn't know the question, gets the request", async () => {
      const ways: Ways = { forwarded: 0, asked: 0, isOld: true }
      const path = "/xrpc/com.atproto.server.getSession"
      const answered = await direct(world, requestOf(path, { auth: world.alice.auth }), ways)
      assert.strictEqual(answered?.status, 200)
      assert.deepInclude(ways, { forwarded: 1, asked: 1 })
    })

    it("nobody outside asks an object's question", async () => {
      for (const path of ["/query/a/---/com.atproto.repo.getRecord", "//account/query/a/---/b"]) {
        assert.isUndefined(await direct(world, requestOf(path, {})))
        assert.strictEqual((await world.beneath(serveHost(requestOf(path, {})))).status, 404)
      }
    })
  })
}
