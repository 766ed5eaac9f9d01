import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ok, outcomeOf, signUp, startWorld, type World } from "../../support/http/httpWorld.ts"

const nsid = "com.atproto.temp.checkHandleAvailability"

interface Suggestion {
  readonly handle: string
  readonly method: string
}

describe("checkHandleAvailability", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ HANDLE_DOMAINS: "test,second.example.org" })
  })
  afterAll(() => world.close())

  const ask = async (params: Record<string, string>) => ok(await world.call(nsid, { params }))

  const suggestionsFor = async (params: Record<string, string>) => {
    const { handle, result } = await ask(params)
    assert.strictEqual(handle, params["handle"])
    assert.strictEqual(result.$type, `${nsid}#resultUnavailable`)
    return result.suggestions as ReadonlyArray<Suggestion>
  }

  it("checkHandleAvailability returns that a free handle is available, in any case", async () => {
    for (const handle of ["nobody.test", "NoBody.second.example.org"]) {
      const answer = await ask({ handle })
      assert.deepStrictEqual(answer, { handle, result: { $type: `${nsid}#resultAvailable` } })
    }
  })

  it("checkHandleAvailability suggests available handles based on what was typed", async () => {
    await signUp(world, "carla")
    await signUp(world, "carla84")
    const handle = "carla.test"
    const email = "Carla.Smith@mail.example.com"
    const suggestions = await suggestionsFor({ handle, email, birthDate: "1984-05-01T00:00:00Z" })
    assert.isAbove(suggestions.length, 2)
    assert.isAtMost(suggestions.length, 5)
    const handles = suggestions.map((suggestion) => suggestion.handle)
    assert.include(handles, "carla.second.example.org")
    assert.include(handles, "carla-smith.test")
    assert.include(handles, "carla1984.test")
    assert.notInclude(handles, "carla84.test")
    for (const one of handles) {
      assert.strictEqual((await ask({ handle: one })).result.$type, `${nsid}#resultAvailable`, one)
    }
  })

  it("a handle that an account gave up is unavailable", async () => {
    const { auth } = await signUp(world, "changeling")
    const input = { handle: "changed.test" }
    ok(await world.call("com.atproto.identity.updateHandle", { auth, input }))
    await suggestionsFor({ handle: "changeling.test" })
    await suggestionsFor(input)
  })

  it("a handle that nobody can sign up with is unavailable", async () => {
    for (const handle of [
      "admin.test",
      "ab.test",
      "far-too-long-for-a-label.test",
      "two.labels.test",
      "someone.bsky.social",
      "second.example.org",
      "localhost.local"
    ]) {
      for (const { handle: one } of await suggestionsFor({ handle })) {
        assert.match(one, /^[a-z0-9-]{3,18}\.(second\.example\.org|test)$/)
      }
    }
  })

  it("checkHandleAvailability rejects an invalid handle or email address", async () => {
    const outcome = async (params: Record<string, string>) =>
      outcomeOf(await world.call(nsid, { params }))
    assert.strictEqual(await outcome({ handle: "carla" }), "400 InvalidRequest")
    assert.strictEqual(await outcome({}), "400 InvalidRequest")
    const handle = "nobody.test"
    assert.strictEqual(await outcome({ handle, email: "carla" }), "400 InvalidEmail")
  })

  it("checkHandleAvailability is limited to 300 calls in five minutes", async () => {
    const limited = await startWorld({ RATE_LIMITS: "on" })
    const call = () =>
      limited.call(nsid, {
        params: { handle: "nobody.test" },
        headers: { "cf-connecting-ip": "203.0.113.7" }
      })
    for (let count = 0; count < 300; count++) ok(await call())
    assert.strictEqual(outcomeOf(await call()), "429 RateLimitExceeded")
    await limited.close()
  })
})
