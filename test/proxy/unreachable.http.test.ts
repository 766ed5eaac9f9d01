import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { outcomeOf, startWorld, type World } from "../support/http/httpWorld.ts"

describe("an identity with an unreachable host", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
    world.network.dead.add("gone.example.com")
  })
  afterAll(() => world.close())

  const identity = (name: string) => `com.atproto.identity.${name}`
  const resolve = async (nsid: string, asked: object) =>
    outcomeOf(await world.call(identity(nsid), asked))

  it("an identity with an unreachable host is reported as not found, as the lexicons allow", async () => {
    const handle = "gone.example.com"
    const did = `did:web:${handle}`
    const ask = (identifier: string) => ({ params: { identifier } })
    const send = (identifier: string) => ({ input: { identifier } })
    assert.strictEqual(await resolve("resolveHandle", { params: { handle } }), "400 HandleNotFound")
    assert.strictEqual(await resolve("resolveIdentity", ask(handle)), "400 HandleNotFound")
    assert.strictEqual(await resolve("refreshIdentity", send(handle)), "400 HandleNotFound")
    assert.strictEqual(await resolve("resolveDid", { params: { did } }), "400 DidNotFound")
    assert.strictEqual(await resolve("resolveIdentity", ask(did)), "400 DidNotFound")
    assert.strictEqual(await resolve("refreshIdentity", send(did)), "400 DidNotFound")
  })

  it("a handle with an unreachable host can't be chosen", async () => {
    const { auth } = world.alice
    const input = { handle: "gone.example.com" }
    const answer = await world.call(identity("updateHandle"), { auth, input })
    assert.deepStrictEqual(answer.body, {
      error: "InvalidHandle",
      message: "External handle did not resolve to DID"
    })
  })

  it("an unreachable PLC directory is reported differently", async () => {
    const did = `did:plc:${"b".repeat(24)}`
    assert.strictEqual(await resolve("resolveDid", { params: { did } }), "400 DidNotFound")
    world.network.cut(true)
    const other = `did:plc:${"c".repeat(24)}`
    assert.strictEqual(
      await resolve("resolveDid", { params: { did: other } }),
      "502 UpstreamFailure"
    )
    world.network.cut(false)
  })
})
