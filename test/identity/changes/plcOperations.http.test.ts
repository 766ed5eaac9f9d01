import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { formatDidKey, publicKeyOf } from "../../../src/core/identity/didKey.ts"
import type { PlcOperation, PlcUpdate } from "../../../src/core/identity/plcOperation.ts"
import { AccountLock } from "../../../src/services/accounts/AccountLock.ts"
import { AccountStore } from "../../../src/services/accounts/AccountStore.ts"
import { codeFor, type Newcomer, newcomer, waitingCodes } from "../../support/http/httpCodes.ts"
import { basic, bearer, origin } from "../../support/http/httpHost.ts"
import { makeMover, type Mover } from "../../support/http/httpMover.ts"
import { ok, outcomeOf, settled, startWorld, type World } from "../../support/http/httpWorld.ts"
import { decodeFrame } from "../../support/server/serverFrames.ts"

const keyOf = (byte: number) => formatDidKey(publicKeyOf("k256", new Uint8Array(32).fill(byte)))
const hostKey = keyOf(0x42)
const recoveryKey = keyOf(0x51)
const strangerKey = keyOf(0x52)

describe("PLC operations of an account", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  type Who = Pick<Newcomer, "did" | "auth">

  const identity = (name: string, { auth }: Who, asked: object = {}) =>
    world.call(`com.atproto.identity.${name}`, { auth, ...asked })

  const someone = () => newcomer(world, `plc${world.next()}`, { plc: true })

  const plcLog = async (did: string): Promise<ReadonlyArray<PlcOperation>> =>
    (await fetch(`${world.network.env["PLC_URL"]}/${did}/log`)).json() as never

  const recommended = async (who: Who) => ok(await identity("getRecommendedDidCredentials", who))

  /** An operation that the host signs for the change. */
  const signed = async (who: Who, change: object = {}): Promise<PlcUpdate> => {
    const token = await codeFor(world, who.did, "plc_operation")
    return ok(await identity("signPlcOperation", who, { input: { token, ...change } }))["operation"]
  }

  const submit = (who: Who, operation: unknown) =>
    identity("submitPlcOperation", who, { input: { operation } })

  /** The account's events from now on. */
  const listen = ({ did }: Who) => {
    const frames = world.subscribe()
    return async () => {
      await settled(world, did)
      await world.delivered()
      return frames
        .map(decodeFrame)
        .filter(({ body }) => (body.did ?? body.repo) === did)
        .map(({ type }) => type)
    }
  }

  /**
   * An account that is about to move in: it exists here, deactivated, and its DID points elsewhere.
   */
  const arrive = async (mover: Mover): Promise<Newcomer> => {
    const nsid = "com.atproto.server.createAccount"
    const code = "com.atproto.server.createInviteCode"
    const inviteCode = ok(await world.call(code, { auth: basic(), input: { useCount: 1 } }))
    const name = `mover${world.next()}`
    const person = {
      handle: `${name}.test`,
      email: `${name}@mail.example.com`,
      password: "a good password"
    }
    const input = { ...person, did: mover.did, inviteCode: inviteCode["code"] }
    const made = ok(await world.call(nsid, { auth: bearer(await mover.token(nsid)), input }))
    return { ...person, did: mover.did, auth: bearer(made["accessJwt"]) }
  }

  it("getRecommendedDidCredentials returns this server's key after the owner's recovery keys", async () => {
    const who = await someone()
    const input = { handle: `rec${world.next()}.test`, email: "rec@mail.example.com" }
    const made = ok(
      await world.call("com.atproto.server.createAccount", {
        auth: basic(),
        input: { ...input, password: "a good password", recoveryKey }
      })
    )
    const withRecovery = { did: made["did"], auth: bearer(made["accessJwt"]) }
    const [genesis] = await plcLog(withRecovery.did)
    assert.deepInclude(genesis, { rotationKeys: [recoveryKey, hostKey] })
    assert.deepStrictEqual((await recommended(withRecovery))["rotationKeys"], [
      recoveryKey,
      hostKey
    ])
    const { verificationMethods, ...rest } = await recommended(who)
    assert.deepStrictEqual(rest, {
      rotationKeys: [hostKey],
      alsoKnownAs: [`at://${who.handle}`],
      services: { atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: origin } }
    })
    const [own] = (await plcLog(who.did)) as ReadonlyArray<PlcUpdate>
    assert.deepStrictEqual(verificationMethods, own?.verificationMethods)
    const web = await recommended(world.alice)
    assert.deepStrictEqual(Object.keys(web).toSorted(), [
      "alsoKnownAs",
      "services",
      "verificationMethods"
    ])
  })

  it("signPlcOperation requires a mailed code, extends the last operation, and uses the code up", async () => {
    const who = await someone()
    ok(await identity("requestPlcOperationSignature", who, { method: "POST" }))
    const { plc_operation: token } = await waitingCodes(world, who.did)
    const rotationKeys = [recoveryKey, hostKey]
    const sign = (input: object) => identity("signPlcOperation", who, { input })
    assert.strictEqual(outcomeOf(await sign({ rotationKeys })), "400 InvalidRequest")
    const wrong = { token: "AAAAA-AAAAA", rotationKeys }
    assert.strictEqual(outcomeOf(await sign(wrong)), "400 InvalidToken")
    // A rejected operation doesn't use up the code.
    for (const bad of [
      { rotationKeys: ["did:key:zNonsense"] },
      { rotationKeys: [] },
      { verificationMethods: { atproto: 7 } },
      { verificationMethods: [] },
      { services: { atproto_pds: { type: "AtprotoPersonalDataServer" } } },
      { alsoKnownAs: ["at://a.test", "at://a.test"] }
    ]) {
      assert.strictEqual(outcomeOf(await sign({ token, ...bad })), "400 InvalidRequest")
    }
    const { operation } = ok(await sign({ token, rotationKeys }))
    assert.strictEqual(outcomeOf(await sign({ token, rotationKeys })), "400 InvalidToken")
    const [genesis] = (await plcLog(who.did)) as ReadonlyArray<PlcUpdate>
    const { sig: _, prev, ...data } = operation
    assert.isString(prev)
    const { sig: _sig, prev: _prev, ...before } = genesis!
    assert.deepStrictEqual(data, { ...before, rotationKeys })
    ok(await submit(who, operation))
    assert.lengthOf(await plcLog(who.did), 2)
    assert.deepStrictEqual((await recommended(who))["rotationKeys"], rotationKeys)
  })

  it("submitPlcOperation submits an operation that keeps the account here, and emits an event", async () => {
    const who = await someone()
    await settled(world, who.did)
    const heard = listen(who)
    const also = ["https://example.com/me", "at://not a handle", `at://${who.handle}`]
    ok(await submit(who, await signed(who, { alsoKnownAs: also })))
    assert.deepStrictEqual(await heard(), ["#identity"])
    const params = { did: who.did }
    const { didDoc } = ok(await world.call("com.atproto.identity.resolveDid", { params }))
    assert.deepStrictEqual(didDoc.alsoKnownAs, also)
    assert.deepStrictEqual((await recommended(who))["alsoKnownAs"], also)
  })

  it("submitPlcOperation rejects an operation that moves the account away, regardless of its signer", async () => {
    const who = await someone()
    await settled(world, who.did)
    const heard = listen(who)
    const pds = { type: "AtprotoPersonalDataServer", endpoint: origin }
    const faults: ReadonlyArray<readonly [object, RegExp]> = [
      [{ rotationKeys: [recoveryKey] }, /rotation key/],
      [{ services: {} }, /type on atproto_pds/],
      [{ services: { atproto_pds: { ...pds, type: "Other" } } }, /type on atproto_pds/],
      [
        { services: { atproto_pds: { ...pds, endpoint: "https://elsewhere.com" } } },
        /endpoint on atproto_pds/
      ],
      [{ verificationMethods: { atproto: strangerKey } }, /signing key/],
      [{ verificationMethods: {} }, /signing key/],
      [{ alsoKnownAs: ["at://other.test", `at://${who.handle}`] }, /handle/],
      [{ alsoKnownAs: [] }, /handle/]
    ]
    for (const [change, message] of faults) {
      const answer = await submit(who, await signed(who, change))
      assert.strictEqual(outcomeOf(answer), "400 InvalidRequest")
      assert.match(answer.body["message"], message)
    }
    const good = await signed(who)
    const others: ReadonlyArray<unknown> = [
      {},
      { ...good, sig: undefined },
      { ...good, more: 1 },
      { type: "plc_tombstone", prev: good.prev, sig: good.sig },
      // Well-formed, but the directory must reject it: another signature, another predecessor.
      { ...good, sig: `${good.sig.startsWith("A") ? "B" : "A"}${good.sig.slice(1)}` },
      { ...good, prev: "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm" }
    ]
    for (const operation of others) {
      assert.strictEqual(outcomeOf(await submit(who, operation)), "400 InvalidRequest")
    }
    assert.lengthOf(await plcLog(who.did), 1)
    assert.deepStrictEqual(await heard(), [])
  })

  it("submitPlcOperation emits an event for an operation that the directory already has, because the response may have been lost", async () => {
    const who = await someone()
    await settled(world, who.did)
    const heard = listen(who)
    const operation = await signed(who, { rotationKeys: [recoveryKey, hostKey] })
    ok(await submit(who, operation))
    ok(await submit(who, operation))
    assert.lengthOf(await plcLog(who.did), 2)
    assert.deepStrictEqual(await heard(), ["#identity", "#identity"])
    // A later operation has superseded it.
    ok(await submit(who, await signed(who, { rotationKeys: [hostKey] })))
    assert.strictEqual(outcomeOf(await submit(who, operation)), "400 InvalidRequest")
  })

  it("submitPlcOperation waits for a running change of the account and must agree with it", async () => {
    const who = await someone()
    const operation = await signed(who, { rotationKeys: [recoveryKey, hostKey] })
    const go = Effect.runSync(Deferred.make<void>())
    const handle = `renamed${world.next()}.test`
    // A change of handle in progress: the document has it, the account doesn't.
    const change = world.inside(
      who.did,
      Effect.flatMap(AccountLock, (lock) =>
        lock.alone(
          Effect.andThen(
            Deferred.await(go),
            Effect.flatMap(AccountStore, (accounts) => accounts.update({ handle }))
          )
        )
      )
    )
    const submitting = submit(who, operation)
    await new Promise((resolve) => setTimeout(resolve, 50))
    Effect.runSync(Deferred.succeed(go, undefined))
    await change
    const answer = await submitting
    assert.strictEqual(outcomeOf(answer), "400 InvalidRequest")
    assert.match(answer.body["message"], /handle/)
    assert.lengthOf(await plcLog(who.did), 1)
  })

  it("PLC operations of a did:web fail with an error that says so", async () => {
    const { alice } = world
    for (const [name, asked] of [
      ["requestPlcOperationSignature", { method: "POST" }],
      ["submitPlcOperation", { input: { operation: {} } }]
    ] as const) {
      const answer = await identity(name, alice, asked)
      assert.strictEqual(outcomeOf(answer), "400 InvalidRequest")
      assert.match(answer.body["message"], /did:web/)
    }
  })

  it("an unreachable directory fails the call and keeps the code", async () => {
    const who = await someone()
    const token = await codeFor(world, who.did, "plc_operation")
    const sign = () => identity("signPlcOperation", who, { input: { token } })
    world.network.cut(true)
    assert.strictEqual(outcomeOf(await sign()), "502 UpstreamFailure")
    world.network.cut(false)
    ok(await sign())
  })

  it("an account moves in with an operation, an activation, and a head signed with the DID's key", async () => {
    const mover = await makeMover(world, 0x61)
    const who = await arrive(mover)
    await settled(world, who.did)
    const heard = listen(who)
    const activate = () =>
      world.call("com.atproto.server.activateAccount", { auth: who.auth, method: "POST" })
    assert.strictEqual(outcomeOf(await activate()), "400 InvalidRequest")
    // This server has no rotation key in the DID yet, so it cannot sign for it.
    const token = await codeFor(world, who.did, "plc_operation")
    const unsigned = await identity("signPlcOperation", who, { input: { token } })
    assert.match(unsigned.body["message"], /rotation key/)
    assert.deepStrictEqual((await recommended(who))["rotationKeys"], [hostKey])
    const change = await recommended(who)
    ok(await submit(who, await mover.signed(change)))
    const rev = async () =>
      ok(
        await world.call("com.atproto.sync.getLatestCommit", {
          auth: who.auth,
          params: { did: who.did }
        })
      )["rev"] as string
    const before = await rev()
    ok(await activate())
    assert.isAbove((await rev()).localeCompare(before), 0)
    assert.deepStrictEqual(await heard(), ["#identity", "#account", "#identity", "#sync"])
    const status = ok(await world.call("com.atproto.server.checkAccountStatus", { auth: who.auth }))
    assert.deepInclude(status, { activated: true, validDid: true })
    // Moving out: the host signs for the new server but does not submit.
    const services = {
      atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: "https://next.example.com" }
    }
    const leaving = await signed(who, { services, rotationKeys: [strangerKey] })
    assert.strictEqual(outcomeOf(await submit(who, leaving)), "400 InvalidRequest")
    const sent = await fetch(`${world.network.env["PLC_URL"]}/${who.did}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(leaving)
    })
    assert.strictEqual(sent.status, 200)
  })

  it("signPlcOperation extends the first operation of a DID from before 2023", async () => {
    const mover = await makeMover(world, 0x62, { recoveryKey: hostKey })
    const who = await arrive(mover)
    const operation = await signed(who, await recommended(who))
    assert.strictEqual(operation.type, "plc_operation")
    assert.deepStrictEqual(operation.rotationKeys, [hostKey])
    ok(await submit(who, operation))
    const log = await plcLog(who.did)
    assert.deepStrictEqual(
      log.map(({ type }) => type),
      ["create", "plc_operation"]
    )
  })

  it("signPlcOperation rejects a DID with a tombstone", async () => {
    const mover = await makeMover(world, 0x63)
    const who = await arrive(mover)
    await mover.tombstone()
    const token = await codeFor(world, who.did, "plc_operation")
    const answer = await identity("signPlcOperation", who, { input: { token } })
    assert.strictEqual(outcomeOf(answer), "400 DidDeactivated")
  })
})
