import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AccountStore } from "../../../src/services/accounts/AccountStore.ts"
import { codeFor, newcomer, type Newcomer } from "../../support/http/httpCodes.ts"
import { bearer, origin, startHost } from "../../support/http/httpHost.ts"
import {
  ok,
  outcomeOf,
  session,
  settled,
  startWorld,
  type World
} from "../../support/http/httpWorld.ts"
import { decodeFrame } from "../../support/server/serverFrames.ts"

const updateHandle = "com.atproto.identity.updateHandle"

describe("updateHandle", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const someone = (options: { readonly plc?: true } = { plc: true }) =>
    newcomer(world, `named${world.next()}`, options)
  const change = ({ auth }: Newcomer, handle: string) =>
    world.call(updateHandle, { auth, input: { handle } })
  const resolve = async (handle: string) =>
    outcomeOf(await world.call("com.atproto.identity.resolveHandle", { params: { handle } }))
  const describeRepo = async ({ did }: Newcomer) =>
    ok(await world.call("com.atproto.repo.describeRepo", { params: { repo: did } }))
  const plcLog = async ({ did }: Newcomer): Promise<ReadonlyArray<{ alsoKnownAs: string[] }>> =>
    (await fetch(`${world.network.env["PLC_URL"]}/${did}/log`)).json() as never

  /** The account's events from now on. */
  const listen = ({ did }: Newcomer) => {
    const frames = world.subscribe()
    return async () => {
      await settled(world, did)
      await world.delivered()
      return frames
        .map(decodeFrame)
        .filter(({ body }) => (body["did"] ?? body["repo"]) === did)
        .map(({ type, body }) => [type, body["handle"]])
    }
  }

  it("updateHandle of a did:plc changes document, directory and account, and emits one event", async () => {
    const who = await someone()
    await settled(world, who.did)
    const heard = listen(who)
    const handle = "xn--bcher-kva.test"
    ok(await change(who, handle.toUpperCase()))
    assert.deepInclude(await describeRepo(who), { handle, handleIsCorrect: true })
    assert.strictEqual(await resolve(handle), "ok")
    assert.strictEqual(await resolve(who.handle), "400 HandleNotFound")
    const log = await plcLog(who)
    assert.lengthOf(log, 2)
    assert.deepStrictEqual(log.at(-1)?.alsoKnownAs, [`at://${handle}`])
    const { didDoc } = ok(
      await world.call("com.atproto.identity.resolveDid", { params: { did: who.did } })
    )
    assert.deepStrictEqual(didDoc.alsoKnownAs, [`at://${handle}`])
    assert.deepStrictEqual(await heard(), [["#identity", handle]])
    const identifier = handle
    const session = { input: { identifier, password: who.password } }
    ok(await world.call("com.atproto.server.createSession", session))
  })

  it("updateHandle of a did:web of this host changes the document that is served here", async () => {
    const who = await someone({})
    const handle = `web${world.next()}.test`
    ok(await change(who, handle))
    const { didDoc } = await describeRepo(who)
    assert.deepStrictEqual(didDoc.alsoKnownAs, [`at://${handle}`])
    assert.strictEqual(await resolve(handle), "ok")
  })

  it("updateHandle to the current handle emits #identity again and changes nothing", async () => {
    const who = await someone()
    await settled(world, who.did)
    const heard = listen(who)
    ok(await change(who, who.handle))
    assert.deepStrictEqual(await heard(), [["#identity", who.handle]])
    assert.lengthOf(await plcLog(who), 1)
  })

  it("updateHandle to an own domain requires that it resolves to the DID now", async () => {
    const who = await someone()
    const handle = `person${world.next()}.example.org`
    assert.strictEqual(outcomeOf(await change(who, handle)), "400 InvalidHandle")
    world.network.dns.set(handle, world.alice.did)
    assert.strictEqual(outcomeOf(await change(who, handle)), "400 InvalidHandle")
    assert.lengthOf(await plcLog(who), 1)
    world.network.dns.set(handle, who.did)
    ok(await change(who, handle))
    assert.deepInclude(await describeRepo(who), { handle, handleIsCorrect: true })
  })

  it("updateHandle rejects handles by form, length, labels, reserved names and special domains, and taken ones", async () => {
    const who = await someone()
    for (const [handle, outcome] of [
      ["a.test", "400 InvalidHandle"],
      [`${"a".repeat(19)}.test`, "400 InvalidHandle"],
      ["two.labels.test", "400 InvalidHandle"],
      ["name.invalid", "400 InvalidHandle"],
      ["admin.test", "400 HandleNotAvailable"],
      [world.alice.handle, "400 HandleNotAvailable"],
      ["not a handle", "400 InvalidRequest"]
    ] as const) {
      assert.strictEqual(outcomeOf(await change(who, handle)), outcome, handle)
    }
    assert.lengthOf(await plcLog(who), 1)
  })

  it("of two concurrent requests for a handle one succeeds, and only its document claims the handle", async () => {
    const both = [await someone(), await someone()]
    const handle = `coveted${world.next()}.test`
    const answers = await Promise.all(both.map((who) => change(who, handle)))
    assert.sameMembers(answers.map(outcomeOf), ["ok", "400 HandleNotAvailable"])
    for (const [at, who] of both.entries()) {
      const own = answers[at]!.status === 200 ? handle : who.handle
      assert.deepStrictEqual((await plcLog(who)).at(-1)?.alsoKnownAs, [`at://${own}`])
      assert.deepInclude(await describeRepo(who), { handle: own, handleIsCorrect: true })
    }
  })

  it("a repeated updateHandle completes one that was interrupted after the PLC directory", async () => {
    const who = await someone()
    const handle = `again${world.next()}.test`
    ok(await change(who, handle))
    // As if neither the directory nor the account had seen it.
    await Effect.runPromise(world.directory.setHandle(who.did, who.handle, { keep: false }))
    const back = Effect.flatMap(AccountStore, (accounts) => accounts.update({ handle: who.handle }))
    await world.inside(who.did, back)
    const before = await plcLog(who)
    ok(await change(who, handle))
    assert.deepInclude(await describeRepo(who), { handle, handleIsCorrect: true })
    assert.lengthOf(await plcLog(who), before.length)
    assert.strictEqual(await resolve(handle), "ok")
  })

  it("updateHandle back to the old handle reverts an interrupted change", async () => {
    const who = await someone()
    ok(await change(who, `undone${world.next()}.test`))
    await Effect.runPromise(world.directory.setHandle(who.did, who.handle, { keep: false }))
    const back = Effect.flatMap(AccountStore, (accounts) => accounts.update({ handle: who.handle }))
    await world.inside(who.did, back)
    ok(await change(who, who.handle))
    assert.deepStrictEqual((await plcLog(who)).at(-1)?.alsoKnownAs, [`at://${who.handle}`])
    assert.deepInclude(await describeRepo(who), { handle: who.handle, handleIsCorrect: true })
  })

  it("updateHandle changes nothing while the PLC directory is unreachable", async () => {
    const who = await someone()
    const handle = `later${world.next()}.test`
    world.network.cut(true)
    const lost = await change(who, handle)
    world.network.cut(false)
    assert.strictEqual(outcomeOf(lost), "502 UpstreamFailure")
    assert.deepInclude(await describeRepo(who), { handle: who.handle })
    assert.strictEqual(await resolve(handle), "400 HandleNotFound")
    ok(await change(who, handle))
  })

  it("updateHandle keeps the document's other names", async () => {
    const who = await someone()
    const token = await codeFor(world, who.did, "plc_operation")
    const alsoKnownAs = [`at://${who.handle}`, "https://example.org/me"]
    const signed = await world.call("com.atproto.identity.signPlcOperation", {
      auth: who.auth,
      input: { token, alsoKnownAs }
    })
    const submit = { auth: who.auth, input: { operation: ok(signed)["operation"] } }
    ok(await world.call("com.atproto.identity.submitPlcOperation", submit))
    const handle = `more${world.next()}.test`
    ok(await change(who, handle))
    const expected = [`at://${handle}`, "https://example.org/me"]
    assert.deepStrictEqual((await plcLog(who)).at(-1)?.alsoKnownAs, expected)
  })

  /** An operation that the owner submits directly to the directory. */
  const ownOperation = async ({ did, auth }: Newcomer, change: object) => {
    const token = await codeFor(world, did, "plc_operation")
    const input = { token, ...change }
    const signed = ok(await world.call("com.atproto.identity.signPlcOperation", { auth, input }))
    const answer = await fetch(`${world.network.env["PLC_URL"]}/${did}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(signed["operation"])
    })
    assert.strictEqual(answer.status, 200)
  }

  it("updateHandle replaces the first valid handle in its position and keeps other names", async () => {
    const who = await someone()
    const before = ["https://site.example", "at://not a handle", `at://${who.handle}`]
    const after = ["at://second.example", "https://example.org/me"]
    await ownOperation(who, { alsoKnownAs: [...before, ...after] })
    ok(await change(who, who.handle))
    assert.lengthOf(await plcLog(who), 2, "the document claims the handle already")
    const handle = `place${world.next()}.test`
    ok(await change(who, handle))
    assert.deepStrictEqual((await plcLog(who)).at(-1)?.alsoKnownAs, [
      ...before.slice(0, 2),
      `at://${handle}`,
      ...after
    ])
    assert.deepInclude(await describeRepo(who), { handle, handleIsCorrect: true })
  })

  it("updateHandle adopts a handle that the owner set in the DID without this server's key", async () => {
    const rotationKeys = ["did:key:zQ3shhCGUqDKjStzuDxPkTxN6ujddP4RkEKJJouJGRRkaLGbg"]
    const who = await someone()
    const handle = `owner${world.next()}.test`
    const alsoKnownAs = ["https://site.example", `at://${handle}`]
    await ownOperation(who, { rotationKeys, alsoKnownAs })
    ok(await change(who, handle))
    assert.lengthOf(await plcLog(who), 2)
    assert.deepInclude(await describeRepo(who), { handle, handleIsCorrect: true })
    const refused = await change(who, `other${world.next()}.test`)
    assert.strictEqual(outcomeOf(refused), "400 InvalidRequest")
  })

  it("a given-up handle stays reserved for its account against sign-ups and changes", async () => {
    const host = await startHost({ PUBLIC_URL: origin, INVITE_REQUIRED: "off" })
    const who = await newcomer(host, "known")
    const other = await newcomer(host, "stranger")
    const to = ({ auth }: Newcomer, handle: string) =>
      host.call(updateHandle, { auth, input: { handle } })
    const isFree = async (handle: string) => {
      const nsid = "com.atproto.temp.checkHandleAvailability"
      const { result } = ok(await host.call(nsid, { params: { handle } }))
      return result["$type"] === `${nsid}#resultAvailable`
    }
    ok(await to(who, "unknown.test"))
    assert.isFalse(await isFree("known.test"))
    assert.strictEqual(outcomeOf(await to(other, "known.test")), "400 HandleNotAvailable")
    const input = { handle: "known.test", email: "new@mail.example.com", password: "new password" }
    const signUp = () => host.call("com.atproto.server.createAccount", { input })
    assert.strictEqual(outcomeOf(await signUp()), "400 HandleNotAvailable")
    ok(await to(who, "known.test"))
    ok(await to(who, "unknown.test"))
    host.advance(30 * 86_400_000)
    assert.isTrue(await isFree("known.test"))
    const { accessJwt } = await session(host, other.did, "full")
    ok(await to({ ...other, auth: bearer(accessJwt) }, "known.test"))
    await host.close()
  })

  it("updateHandle is limited to ten in five minutes", async () => {
    const host = await startHost({ PUBLIC_URL: origin, RATE_LIMITS: "sensitive" })
    const who = await newcomer(host, "restless")
    const again = () => host.call(updateHandle, { auth: who.auth, input: { handle: who.handle } })
    for (let time = 0; time < 10; time++) ok(await again())
    const refused = await again()
    assert.strictEqual(outcomeOf(refused), "429 RateLimitExceeded")
    assert.isAbove(Number(refused.headers.get("retry-after")), 0)
    host.advance(301_000)
    ok(await again())
    await host.close()
  })
})
