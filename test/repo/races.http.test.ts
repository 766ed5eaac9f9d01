import { verifyRepoCar } from "@atproto/repo"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { basic, bearer } from "../support/http/httpHost.ts"
import {
  firstRkey,
  ok,
  outcomeOf,
  post,
  session,
  startWorld,
  tidOf,
  type World
} from "../support/http/httpWorld.ts"

const collection = "app.bsky.feed.post"

/** How often each outcome occurred. */
const tally = (outcomes: ReadonlyArray<string>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

const times = <A>(count: number, make: (at: number) => Promise<A>): Promise<Array<A>> =>
  Promise.all(Array.from({ length: count }, (_, at) => make(at)))

describe("concurrent requests", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const write = (name: string, input: object, auth = world.alice.auth) =>
    world.call(`com.atproto.repo.${name}`, {
      auth,
      input: { repo: world.alice.did, collection, ...input }
    })

  it("concurrent writes all succeed, each in its own commit, and the repo verifies", async () => {
    const answers = await times(60, (at) =>
      write("createRecord", { rkey: tidOf(100 + at), record: post(`${at}`) })
    )
    const revs = answers.map((answer) => ok(answer)["commit"].rev)
    assert.strictEqual(new Set(revs).size, 60)
    const { did } = world.alice
    const { didDoc } = ok(
      await world.call("com.atproto.repo.describeRepo", { params: { repo: did } })
    )
    const key = `did:key:${didDoc.verificationMethod[0].publicKeyMultibase}`
    const { bytes } = await world.call("com.atproto.sync.getRepo", { params: { did } })
    const { creates } = await verifyRepoCar(bytes as Uint8Array<ArrayBuffer>, did, key)
    const there = new Set(creates.map(({ rkey }) => rkey))
    for (let at = 0; at < 60; at++) assert.isTrue(there.has(tidOf(100 + at)))
  })

  it("concurrent creates of one key succeed once", async () => {
    const answers = await times(10, () =>
      write("createRecord", { rkey: tidOf(500), record: post("mine") })
    )
    assert.deepStrictEqual(tally(answers.map(outcomeOf)), { ok: 1, "400 InvalidRequest": 9 })
  })

  it("concurrent swaps of the same record or commit succeed once", async () => {
    const byRecord = await times(10, (at) =>
      write("putRecord", {
        rkey: firstRkey,
        record: post(`swap ${at}`),
        swapRecord: world.alice.post
      })
    )
    assert.deepStrictEqual(tally(byRecord.map(outcomeOf)), { ok: 1, "400 InvalidSwap": 9 })
    const params = { did: world.alice.did }
    const swapCommit = ok(await world.call("com.atproto.sync.getLatestCommit", { params }))["cid"]
    const byCommit = await times(10, (at) =>
      write("createRecord", { record: post(`${at}`), swapCommit })
    )
    assert.deepStrictEqual(tally(byCommit.map(outcomeOf)), { ok: 1, "400 InvalidSwap": 9 })
  })

  it("concurrent likes of one post leave one like", async () => {
    const type = "app.bsky.feed.like"
    const subject = { uri: `at://${world.bob.did}/${collection}/${firstRkey}`, cid: world.bob.post }
    const record = { $type: type, subject, createdAt: "2026-01-01T00:00:00.000Z" }
    for (const answer of await times(10, () =>
      write("createRecord", { collection: type, record })
    )) {
      ok(answer)
    }
    const params = { repo: world.alice.did, collection: type }
    assert.lengthOf(ok(await world.call("com.atproto.repo.listRecords", { params }))["records"], 1)
  })

  it("concurrent sign-ups use an invite no more often than it allows", async () => {
    const nsid = "com.atproto.server.createInviteCode"
    const { code } = ok(await world.call(nsid, { auth: basic(), input: { useCount: 2 } }))
    const answers = await times(6, (at) =>
      world.call("com.atproto.server.createAccount", {
        input: {
          handle: `racer${at}.test`,
          email: `racer${at}@mail.example.com`,
          password: "a good password",
          inviteCode: code
        }
      })
    )
    assert.deepStrictEqual(tally(answers.map(outcomeOf)), { ok: 2, "400 InvalidInviteCode": 4 })
  })

  it("a session that ends while others use it stays ended", async () => {
    const { accessJwt, refreshJwt } = await session(world, world.alice.did, "full")
    const nsid = "com.atproto.server.refreshSession"
    const refresh = () => world.call(nsid, { method: "POST", auth: bearer(refreshJwt) })
    const end = world.call("com.atproto.server.deleteSession", {
      method: "POST",
      auth: bearer(refreshJwt)
    })
    const refreshed = times(5, refresh)
    ok(await end)
    const tokens = [accessJwt]
    for (const { body } of await refreshed) if ("accessJwt" in body) tokens.push(body["accessJwt"])
    for (const token of tokens) {
      const answer = await world.call("com.atproto.server.getSession", { auth: bearer(token) })
      assert.strictEqual(outcomeOf(answer), "400 ExpiredToken")
    }
  })

  it("concurrent creates of an app password with one name create one", async () => {
    const input = { name: "the phone" }
    const answers = await times(5, () =>
      world.call("com.atproto.server.createAppPassword", { auth: world.alice.auth, input })
    )
    assert.deepStrictEqual(tally(answers.map(outcomeOf)), { ok: 1, "400 InvalidRequest": 4 })
  })
})
