import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { accountMethods, hostMethods } from "../../../src/http/methods.ts"
import { serveHost } from "../../../src/http/host.ts"
import { direct } from "../../support/http/direct.ts"
import { randomOf } from "../../support/http/httpFuzz.ts"
import { moderatorEnv, publishModerator } from "../../support/http/httpModerator.ts"
import { oddRequests, requestOfOdd } from "../../support/http/httpOdd.ts"
import { startMockWorld, type MockWorld } from "../../support/network/mockWorld.ts"

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_201)
const rounds = Number(process.env["FUZZ_ROUNDS"] ?? 600)

type Table = Map<string, { readonly atOnce?: unknown; readonly soon?: unknown }>

/** Runs while no method has a way without a fiber. */
const inFibers = async <A>(run: () => Promise<A>): Promise<A> => {
  // SAFETY: the tables are maps, which only this test changes.
  const tables = [accountMethods, hostMethods] as unknown as ReadonlyArray<Table>
  const before = tables.map((table) => [...table])
  for (const table of tables) {
    for (const [nsid, { atOnce: _, soon: __, ...rest }] of table) table.set(nsid, rest)
  }
  return run().finally(() => {
    for (const [at, table] of tables.entries()) {
      for (const [nsid, method] of before[at]!) table.set(nsid, method)
    }
  })
}

/** Headers that differ between any two responses. */
const own = new Set(["x-request-id", "ratelimit-remaining", "ratelimit-reset"])

/** A response without what differs between any two. */
const shown = async (response: Response) => ({
  status: response.status,
  text: (await response.text())
    .replace(/"token":"[\w.-]+"/, '"token":""')
    .replace(/,"requestId":"[^"]*"/, "")
    .replaceAll(/\bnew-(\d+)-[ab]\b/g, "new-$1")
    .replaceAll(/\bbafyrei[a-z2-7]{52}\b/g, "cid")
    .replaceAll(/\b3[a-z2-7]{12}\b/g, "tid"),
  headers: Object.fromEntries(
    [...response.headers].flatMap(([name, value]) =>
      own.has(name) ? [] : [[name, name === "dpop-nonce" ? "some" : value]]
    )
  )
})

const settings: ReadonlyArray<Readonly<Record<string, string>>> = [
  { RATE_LIMITS: "on", CORS_ORIGINS: "https://app.example.com" },
  { RATE_LIMITS: "off" }
]

for (const [at, env] of settings.entries()) {
  describe(`odd requests with ${JSON.stringify(env)}`, () => {
    let world: MockWorld
    beforeAll(async () => {
      world = await startMockWorld({ ...moderatorEnv, ...env })
      await publishModerator(world)
      for (const { did } of [world.alice, world.bob, world.carol, world.dora]) {
        await world.call("com.atproto.repo.describeRepo", { params: { repo: did } })
      }
      for (const nsid of ["app.bsky.feed.searchPosts", "app.bsky.actor.getProfile"]) {
        world.services.appView.on(nsid, ({ search, headers }, response) => {
          const { authorization: _, ...got } = headers
          const body = JSON.stringify({ search, got })
          response.writeHead(200, {
            "content-type": "application/json",
            "content-length": String(Buffer.byteLength(body))
          })
          response.end(body)
        })
      }
    })
    afterAll(() => world.close())

    it("an odd request gets the same response with and without a fiber", async () => {
      const make = await oddRequests(randomOf(seed + at), world)
      const statuses = new Map<number, number>()
      for (let round = 0; round < rounds; round++) {
        const odd = await make(round)
        const short = await direct(world, await requestOfOdd(world, odd, "a"))
        if (short === undefined) continue
        const again = await requestOfOdd(world, odd, "b")
        const long = await inFibers(() => world.beneath(serveHost(again)))
        assert.deepStrictEqual(await shown(short), await shown(long), JSON.stringify(odd))
        statuses.set(short.status, (statuses.get(short.status) ?? 0) + 1)
      }
      // Neither all rejected nor all accepted, and many have such a way.
      for (const status of [200, 400]) {
        assert.isAbove(statuses.get(status) ?? 0, rounds / 25, String(status))
      }
    })
  })
}
