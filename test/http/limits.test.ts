import { assert, describe, it } from "@effect/vitest"
import type { Answered, Asked } from "../support/httpHost.ts"
import { basic } from "../support/httpHost.ts"
import { writtenForms } from "../support/writtenNames.ts"
import { ok, outcomeOf, png, post, startWorld, type World } from "../support/httpWorld.ts"

const bypass = "a key that opens every limit"

/** Runs a test in a world of its own, in which the limits bind. */
const limited = (title: string, body: (world: World) => Promise<void>) =>
  it(title, async () => {
    const world = await startWorld({ RATE_LIMITS: "on", RATE_LIMIT_BYPASS_KEY: bypass })
    await body(world)
    await world.close()
  })

const from = (address: string) => ({ "cf-connecting-ip": address })

/** The limit that an answer tells: how many of how many are left, in which window. */
const told = ({ headers }: Answered) => ({
  limit: headers.get("ratelimit-limit"),
  remaining: headers.get("ratelimit-remaining"),
  policy: headers.get("ratelimit-policy")
})

const describeServer = "com.atproto.server.describeServer"

describe("rate limits", () => {
  limited("are told on every answer, also of refusals and forwarded calls", async (world) => {
    const asks: Array<[string, Asked]> = [
      [describeServer, {}],
      ["com.example.nothing", {}],
      ["com.atproto.server.getSession", { auth: world.alice.auth }],
      ["com.atproto.server.getSession", {}],
      ["com.atproto.sync.getLatestCommit", { params: { did: world.alice.did } }]
    ]
    for (const [at, [nsid, asked]] of asks.entries()) {
      const answer = await world.call(nsid, { ...asked, headers: from("192.0.2.1") })
      const remaining = String(2999 - at)
      assert.deepStrictEqual(told(answer), { limit: "3000", remaining, policy: "3000;w=300" })
      const reset = Number(answer.headers.get("ratelimit-reset"))
      assert.isAbove(reset, world.now() / 1000)
      assert.isAtMost(reset, world.now() / 1000 + 301)
    }
  })

  limited(
    "stop an address after 3,000 calls, others not, and let it on after the window",
    async (world) => {
      const call = (address: string, more = {}) =>
        world.call(describeServer, { headers: { ...from(address), ...more } })
      for (let count = 0; count < 3000; count++) {
        assert.strictEqual((await call("192.0.2.1")).status, 200)
      }
      const refused = await call("192.0.2.1")
      assert.strictEqual(outcomeOf(refused), "429 RateLimitExceeded")
      assert.strictEqual(told(refused).remaining, "0")
      assert.match(refused.headers.get("retry-after") ?? "", /^\d+$/)
      assert.isAtMost(Number(refused.headers.get("retry-after")), 300)
      assert.strictEqual(refused.headers.get("access-control-allow-origin"), "*")
      assert.strictEqual((await call("192.0.2.2")).status, 200)
      assert.strictEqual((await call("192.0.2.1", { "x-ratelimit-bypass": bypass })).status, 200)
      assert.strictEqual((await call("192.0.2.1", { "x-ratelimit-bypass": "x" })).status, 429)
      const getRepo = { params: { did: world.alice.did }, headers: from("192.0.2.1") }
      const exported = await world.call("com.atproto.sync.getRepo", getRepo)
      assert.deepStrictEqual([exported.status, told(exported).limit], [200, "6000"])
      world.advance(301_000)
      assert.strictEqual((await call("192.0.2.1")).status, 200)
    }
  )

  limited(
    "stop guessing a password after 30 failures, by any writing of the handle",
    async (world) => {
      const { handle, password } = world.alice
      const signIn = (identifier: string, secret: string, address = "192.0.2.1") =>
        world.call("com.atproto.server.createSession", {
          input: { identifier, password: secret },
          headers: from(address)
        })
      // Who knows the password does not use the limit up.
      for (let count = 0; count < 3; count++) ok(await signIn(handle, password))
      const writings = writtenForms(handle)
      const guesses = Array.from({ length: 30 }, (_, at) =>
        signIn(writings[at % writings.length]!, `guess ${at}`)
      )
      for (const answer of await Promise.all(guesses)) {
        assert.strictEqual(outcomeOf(answer), "401 AuthenticationRequired")
      }
      for (const writing of writings) {
        const refused = await signIn(writing, password)
        assert.strictEqual(outcomeOf(refused), "429 RateLimitExceeded")
        assert.isAtMost(Number(refused.headers.get("retry-after")), 300)
      }
      ok(await signIn(handle, password, "192.0.2.2"))
      ok(await signIn(world.bob.handle, world.bob.password))
      // Nobody learns from the limit whether there is such a user.
      const nobody = Array.from({ length: 31 }, (_, at) => signIn("nobody.test", `guess ${at}`))
      const outcomes = (await Promise.all(nobody)).map(outcomeOf)
      assert.lengthOf(
        outcomes.filter((outcome) => outcome === "429 RateLimitExceeded"),
        1
      )
      world.advance(301_000)
      ok(await signIn(handle, password))
    }
  )

  limited("stop an address that makes accounts after 100 attempts", async (world) => {
    const input = { handle: "x", email: "x", password: "x" }
    const wrong = { handle: "good.test", email: "no address", password: "12345678" }
    const call = (body: object, address = "192.0.2.9") =>
      world.call("com.atproto.server.createAccount", {
        input: body,
        auth: basic(),
        headers: from(address)
      })
    for (let count = 0; count < 100; count++) {
      assert.strictEqual(outcomeOf(await call(wrong)), "400 InvalidRequest")
    }
    assert.strictEqual(outcomeOf(await call(wrong)), "429 RateLimitExceeded")
    assert.strictEqual(outcomeOf(await call(wrong, "192.0.2.10")), "400 InvalidRequest")
    assert.strictEqual(outcomeOf(await call(input, "192.0.2.10")), "400 InvalidRequest")
  })

  limited("count the bytes of a write, so that few large records spend the hour", async (world) => {
    const { did, auth } = world.alice
    const [collection, rkey] = ["com.example.note", "one"]
    const put = (text: string) =>
      world.call("com.atproto.repo.putRecord", {
        auth,
        input: { repo: did, collection, rkey, validate: false, record: { $type: collection, text } }
      })
    const large = "y".repeat(980_000)
    let taken = 0
    while ((await put(`${taken}${large}`)).status === 200) taken += 1
    // 119 points each instead of 2.
    assert.strictEqual(taken, 41)
    assert.strictEqual(outcomeOf(await put(large)), "429 RateLimitExceeded")
  })

  limited(
    "stop an account that writes after 5,000 points an hour, with nothing written",
    async (world) => {
      const { did, auth } = world.alice
      const collection = "app.bsky.feed.post"
      const write = (count: number) => {
        const create = { $type: "com.atproto.repo.applyWrites#create", collection, value: post() }
        const input = { repo: did, writes: Array.from({ length: count }, () => create) }
        return world.call("com.atproto.repo.applyWrites", { auth, input })
      }
      // A create is 3 points; the profile and the post of the start took 4.
      for (let batch = 0; batch < 8; batch++) ok(await write(200))
      const head = (await world.call("com.atproto.sync.getHead", { params: { did } })).text
      const refused = await write(200)
      assert.strictEqual(outcomeOf(refused), "429 RateLimitExceeded")
      assert.strictEqual(told(refused).policy, "5000;w=3600")
      assert.match(refused.headers.get("retry-after") ?? "", /^\d+$/)
      assert.strictEqual(
        (await world.call("com.atproto.sync.getHead", { params: { did } })).text,
        head
      )
      ok(await write(60))
      const other = { repo: world.bob.did, collection, record: post() }
      ok(await world.call("com.atproto.repo.createRecord", { auth: world.bob.auth, input: other }))
    }
  )

  limited("stop an address after 1,000 uploads a day", async (world) => {
    const upload = (address: string) =>
      world.call("com.atproto.repo.uploadBlob", {
        auth: world.alice.auth,
        body: png("the same") as Uint8Array<ArrayBuffer>,
        headers: { "content-type": "image/png", ...from(address) }
      })
    for (let count = 0; count < 1000; count++) {
      const answer = await upload("192.0.2.1")
      assert.strictEqual(told(answer).remaining, String(999 - count))
    }
    const refused = await upload("192.0.2.1")
    assert.strictEqual(outcomeOf(refused), "429 RateLimitExceeded")
    assert.strictEqual(told(refused).policy, "1000;w=86400")
    assert.strictEqual((await upload("192.0.2.2")).status, 200)
    assert.strictEqual(
      (await world.call(describeServer, { headers: from("192.0.2.1") })).status,
      200
    )
  })

  it("say nothing when they are off", async () => {
    const world = await startWorld({ RATE_LIMITS: "off" })
    assert.isNull(told(await world.call(describeServer)).limit)
    await world.close()
  })
})
