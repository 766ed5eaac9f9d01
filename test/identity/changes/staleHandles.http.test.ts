import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { newcomer, type Newcomer } from "../../support/http/httpCodes.ts"
import { basic, bearer } from "../../support/http/httpHost.ts"
import { makeMover } from "../../support/http/httpMover.ts"
import { ok, outcomeOf, settled, startWorld, type World } from "../../support/http/httpWorld.ts"
import { decodeFrame } from "../../support/server/serverFrames.ts"

const updateHandle = "com.atproto.identity.updateHandle"
const elsewhere = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"

describe("an own-domain handle", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const change = ({ auth }: Newcomer, handle: string) =>
    world.call(updateHandle, { auth, input: { handle } })
  const resolve = (handle: string) =>
    world.call("com.atproto.identity.resolveHandle", { params: { handle } })
  const refresh = (identifier: string) =>
    world.call("com.atproto.identity.refreshIdentity", { input: { identifier } })
  const sessionOf = async ({ auth }: Newcomer) =>
    ok(await world.call("com.atproto.server.getSession", { auth }))

  /** An account with its own domain as handle. */
  const owner = async () => {
    const who = await newcomer(world, `domain${world.next()}`, { plc: true })
    const handle = `owner${world.next()}.example.org`
    world.network.dns.set(handle, who.did)
    ok(await change(who, handle))
    return { who, handle }
  }

  it("refreshIdentity verifies an own-domain handle again, by handle and by DID", async () => {
    const { who, handle } = await owner()
    for (const identifier of [handle, who.did]) {
      assert.deepInclude(ok(await refresh(identifier)), { did: who.did, handle })
    }
    world.network.dns.delete(handle)
    assert.strictEqual(outcomeOf(await refresh(handle)), "400 HandleNotFound")
    const { handle: shown } = ok(await refresh(who.did))
    assert.strictEqual(shown, "handle.invalid")
    // Nobody else proves it: the domain may be back tomorrow.
    assert.strictEqual((await sessionOf(who))["handle"], handle)
    world.network.dns.set(handle, who.did)
    assert.deepInclude(ok(await refresh(who.did)), { did: who.did, handle })
  })

  it("an own-domain handle is removed when its domain proves a DID on another server", async () => {
    const { who, handle } = await owner()
    await settled(world, who.did)
    const frames = world.subscribe()
    world.network.dns.set(handle, elsewhere)
    await refresh(handle)
    assert.strictEqual(ok(await resolve(handle))["did"], elsewhere)
    assert.strictEqual((await sessionOf(who))["handle"], "handle.invalid")
    const repo = { params: { repo: who.did } }
    const described = ok(await world.call("com.atproto.repo.describeRepo", repo))
    assert.deepInclude(described, { handle: "handle.invalid", handleIsCorrect: false })
    await settled(world, who.did)
    await world.delivered()
    const events = frames.map(decodeFrame).filter(({ body }) => body["did"] === who.did)
    assert.deepStrictEqual(
      events.map(({ type, body }) => [type, body["handle"]]),
      [["#identity", "handle.invalid"]]
    )
    const next = `back${world.next()}.test`
    ok(await change(who, next))
    assert.strictEqual((await sessionOf(who))["handle"], next)
  })

  it("an own-domain handle moves to the account here that the domain proves now, and to no other", async () => {
    const { who, handle } = await owner()
    const heir = await newcomer(world, `heir${world.next()}`, { plc: true })
    assert.strictEqual(outcomeOf(await change(heir, handle)), "400 HandleNotAvailable")
    world.network.dead.add(handle)
    assert.strictEqual(outcomeOf(await change(heir, handle)), "400 HandleNotAvailable")
    world.network.dead.delete(handle)
    world.network.dns.set(handle, heir.did)
    ok(await change(heir, handle))
    assert.strictEqual((await sessionOf(heir))["handle"], handle)
    assert.strictEqual((await sessionOf(who))["handle"], "handle.invalid")
    assert.strictEqual(ok(await resolve(handle))["did"], heir.did)
    assert.strictEqual(outcomeOf(await change(who, handle)), "400 HandleNotAvailable")
  })

  it("an own-domain handle moves to an account that moves in and proves the domain", async () => {
    const { who, handle } = await owner()
    const mover = await makeMover(world, 61)
    world.network.dns.set(handle, mover.did)
    const invite = { auth: basic(), input: { useCount: 1 } }
    const { code } = ok(await world.call("com.atproto.server.createInviteCode", invite))
    const createAccount = "com.atproto.server.createAccount"
    const made = ok(
      await world.call(createAccount, {
        auth: bearer(await mover.token(createAccount)),
        input: {
          did: mover.did,
          handle,
          email: `mover${world.next()}@mail.example.com`,
          password: "a good password",
          inviteCode: code
        }
      })
    )
    assert.strictEqual(made["handle"], handle)
    assert.strictEqual((await sessionOf(who))["handle"], "handle.invalid")
  })

  it("an account without a handle still works: it signs, gets no recommended name, and can take a new one", async () => {
    const { who, handle } = await owner()
    world.network.dns.set(handle, elsewhere)
    await refresh(who.did)
    const nsid = "com.atproto.identity.getRecommendedDidCredentials"
    const { alsoKnownAs } = ok(await world.call(nsid, { auth: who.auth }))
    assert.deepStrictEqual(alsoKnownAs, [`at://${handle}`])
    const session = { input: { identifier: who.did, password: who.password } }
    ok(await world.call("com.atproto.server.createSession", session))
    assert.strictEqual(outcomeOf(await resolve("handle.invalid")), "400 HandleNotFound")
    ok(await change(who, `again${world.next()}.test`))
  })
})
