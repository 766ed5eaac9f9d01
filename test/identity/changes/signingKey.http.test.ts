import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { newcomer, type Newcomer } from "../../support/http/httpCodes.ts"
import { basic } from "../../support/http/httpHost.ts"
import {
  ok,
  outcomeOf,
  post,
  settled,
  startWorld,
  type World
} from "../../support/http/httpWorld.ts"
import { checkFrame, decodeFrame, type Mirror } from "../../support/server/serverFrames.ts"

const update = "com.atproto.admin.updateAccountSigningKey"

for (const curve of ["k256", "p256"] as const) {
  describe(`a change of signing key (${curve})`, () => {
    let world: World
    beforeAll(async () => {
      world = await startWorld({ SIGNING_CURVE: curve })
    })
    afterAll(() => world.close())

    const reserve = async (did: string): Promise<string> =>
      ok(await world.call("com.atproto.server.reserveSigningKey", { input: { did } }))["signingKey"]
    const rotate = ({ did }: { readonly did: string }, signingKey: string) =>
      world.call(update, { auth: basic(), input: { did, signingKey } })
    const keyOf = async (did: string): Promise<string> => {
      const params = { did }
      const { didDoc } = ok(await world.call("com.atproto.identity.resolveDid", { params }))
      return `did:key:${didDoc.verificationMethod[0].publicKeyMultibase}`
    }
    const write = async ({ did, auth }: Newcomer) =>
      world.call("com.atproto.repo.createRecord", {
        auth,
        input: { repo: did, collection: "app.bsky.feed.post", record: post() }
      })
    const plcLog = async (did: string): Promise<ReadonlyArray<unknown>> =>
      (await fetch(`${world.network.env["PLC_URL"]}/${did}/log`)).json() as never

    /** The account's frames from now on, each verified with the DID's latest key. */
    const listen = ({ did }: Newcomer) => {
      const frames = world.subscribe()
      return async () => {
        await settled(world, did)
        await world.delivered()
        const own = frames.map(decodeFrame).filter(({ body }) => (body.did ?? body.repo) === did)
        const mirrors = new Map<string, Mirror>()
        for (const frame of own) await checkFrame(frame, keyOf, mirrors)
        return own.map(({ type }) => type)
      }
    }

    for (const plc of [true, false]) {
      it(`a new key of a ${plc ? "did:plc" : "did:web"} is in the DID, and signs an empty commit and all later ones`, async () => {
        const who = await newcomer(world, `key${world.next()}`, plc ? { plc: true } : {})
        const { did } = who
        ok(await write(who))
        const before = await keyOf(did)
        await settled(world, did)
        const heard = listen(who)
        const key = await reserve(did)
        assert.notStrictEqual(key, before)
        ok(await rotate(who, key))
        assert.strictEqual(await keyOf(did), key)
        ok(await write(who))
        assert.deepStrictEqual(await heard(), ["#identity", "#commit", "#commit"])
        const service = await world.call("com.atproto.server.getServiceAuth", {
          auth: who.auth,
          params: { aud: "did:web:elsewhere.com", lxm: "com.atproto.repo.uploadBlob" }
        })
        assert.isString(ok(service)["token"])
        const status = ok(
          await world.call("com.atproto.server.checkAccountStatus", { auth: who.auth })
        )
        assert.isTrue(status["validDid"])
      })
    }

    it("a key change during an outage of the PLC directory is complete or absent, and a retry completes it", async () => {
      const who = await newcomer(world, `cut${world.next()}`, { plc: true })
      const { did } = who
      await settled(world, did)
      const heard = listen(who)
      const key = await reserve(did)
      world.network.cut(true)
      assert.strictEqual(outcomeOf(await rotate(who, key)), "502 UpstreamFailure")
      ok(await write(who))
      world.network.cut(false)
      assert.notStrictEqual(await keyOf(did), key)
      assert.deepStrictEqual(await heard(), ["#commit"])
      ok(await rotate(who, key))
      assert.strictEqual(await keyOf(did), key)
      assert.lengthOf(await plcLog(did), 2)
    })

    it("a key change accepts only a key that was reserved here for this account", async () => {
      const who = await newcomer(world, `other${world.next()}`, { plc: true })
      const foreign = await reserve(world.alice.did)
      for (const key of [foreign, await keyOf(world.alice.did), "did:web:nonsense.com"]) {
        assert.strictEqual(outcomeOf(await rotate(who, key)), "400 InvalidRequest")
      }
      assert.lengthOf(await plcLog(who.did), 1)
    })

    it("a key change of an inactive account fails until it is active again", async () => {
      const { dora, carol } = world
      assert.strictEqual(
        outcomeOf(await rotate(dora, await reserve(dora.did))),
        "400 RepoDeactivated"
      )
      assert.strictEqual(
        outcomeOf(await rotate(carol, await reserve(carol.did))),
        "400 RepoTakendown"
      )
    })

    it("every write after a key change is signed with the new key, however many are running", async () => {
      const who = await newcomer(world, `busy${world.next()}`, { plc: true })
      await settled(world, who.did)
      const frames = world.subscribe()
      const key = await reserve(who.did)
      const writes = Array.from({ length: 12 }, () => write(who))
      const rotated = rotate(who, key)
      const more = Array.from({ length: 12 }, () => write(who))
      for (const answer of await Promise.all([...writes, rotated, ...more])) ok(answer)
      await settled(world, who.did)
      await world.delivered()
      const own = frames.map(decodeFrame).filter(({ body }) => (body.did ?? body.repo) === who.did)
      const at = own.findIndex(({ type }) => type === "#identity")
      assert.isAtLeast(at, 0)
      const mirrors = new Map<string, Mirror>()
      for (const frame of own.slice(at)) await checkFrame(frame, keyOf, mirrors)
      assert.strictEqual(own.length, 26)
    })
  })
}
