import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onAlarm } from "../../src/services/accounts/onAlarm.ts"
import { create } from "../../src/services/accounts/calls.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { Config } from "../../src/services/host/Config.ts"
import { Keys } from "../../src/services/identity/Keys.ts"
import { PlcDirectory } from "../../src/services/identity/PlcDirectory.ts"
import { prepareDid } from "../../src/services/accounts/signUp/newDid.ts"
import { basic } from "../support/http/httpHost.ts"
import { ok, outcomeOf, startWorld, type World } from "../support/http/httpWorld.ts"

const createAccount = "com.atproto.server.createAccount"

/** The steps of a sign-up before its interruption, in order. */
const steps = ["names", "object", "DID"] as const

describe("an interrupted sign-up", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const personOf = (name = `cut${world.next()}`) => ({
    handle: `${name}.test`,
    email: `${name}@mail.example.com`,
    password: "a good password"
  })

  type Names = ReturnType<typeof personOf>

  const signUp = (input: Names) => world.call(createAccount, { auth: basic(), input })

  /** Runs a sign-up up to a step and stops as if the server had died. */
  const cutOffAfter = async (last: (typeof steps)[number], names: Names) => {
    const { handle, email, password } = names
    const prepared = await world.inside(
      world.alice.did,
      Effect.gen(function* () {
        const [config, keys] = [yield* Config, yield* Keys]
        const key = yield* keys.generate("k256")
        const account = { handle, signingKey: key.didKey, recoveryKey: undefined }
        const made = yield* prepareDid(account, config, keys)
        const signingKey = {
          curve: key.curve,
          didKey: key.didKey,
          wrapped: yield* keys.wrap(made.did, key)
        }
        return { ...made, signingKey }
      })
    )
    const { did, genesis, signingKey } = prepared
    await Effect.runPromise(world.directory.reserve({ did, handle, email }))
    const done = steps.indexOf(last)
    if (done >= 1) {
      await world.inside(did, create({ did, handle, email, password, signingKey, active: true }))
    }
    if (done >= 2) {
      await world.inside(
        did,
        Effect.flatMap(PlcDirectory, (plc) => plc.submit(did, genesis))
      )
    }
    return did
  }

  const lastOf = async (did: string): Promise<string | undefined> => {
    const answer = await fetch(`${world.network.env["PLC_URL"]}/${did}/log/last`)
    return answer.status === 404 ? undefined : ((await answer.json()) as { type: string }).type
  }
  const livesIn = (did: string) =>
    world.inside(
      did,
      Effect.map(AccountStore, (accounts) => accounts.peek() !== undefined)
    )

  for (const step of steps) {
    it(`a sign-up interrupted after its ${step} restarts with the same handle, address and password`, async () => {
      const names = personOf()
      const former = await cutOffAfter(step, names)
      const made = ok(await signUp(names))
      assert.notStrictEqual(made["did"], former)
      assert.strictEqual(await lastOf(made["did"]), "plc_operation")
      assert.strictEqual(await lastOf(former), step === "DID" ? "plc_tombstone" : undefined)
      const { handle, password } = names
      const session = { input: { identifier: handle, password } }
      ok(await world.call("com.atproto.server.createSession", session))
      assert.strictEqual((await signUp(names)).status, 400)
      const status = { params: { did: former } }
      const gone = await world.call("com.atproto.sync.getRepoStatus", status)
      assert.strictEqual(outcomeOf(gone), "400 RepoNotFound")
    })
  }

  it("an interrupted sign-up doesn't restart with another password, address or handle", async () => {
    const names = personOf()
    const former = await cutOffAfter("DID", names)
    const another = personOf()
    for (const change of [
      { password: "another password" },
      { email: another.email },
      { handle: another.handle }
    ]) {
      const answer = await signUp({ ...names, ...change })
      assert.strictEqual(answer.status, 400, JSON.stringify(change))
    }
    assert.strictEqual(await lastOf(former), "plc_operation")
    ok(await signUp(names))
  })

  it("the alarm ends an interrupted sign-up after a quarter of an hour and frees its names", async () => {
    const names = personOf()
    const former = await cutOffAfter("DID", names)
    await world.inside(former, onAlarm)
    assert.isTrue(await livesIn(former))
    world.advance(15 * 60_000)
    await world.inside(former, onAlarm)
    assert.isFalse(await livesIn(former))
    assert.strictEqual(await lastOf(former), "plc_tombstone")
    ok(await signUp({ ...names, password: "another password" }))
  })

  it("the DID of an interrupted sign-up is left to the alarm while the PLC directory is unreachable", async () => {
    const names = personOf()
    const former = await cutOffAfter("DID", names)
    world.network.cut(true)
    const lost = await signUp(names)
    assert.isAtLeast(lost.status, 500)
    await world.inside(former, onAlarm)
    world.network.cut(false)
    assert.isTrue(await livesIn(former))
    await world.inside(former, onAlarm)
    assert.isFalse(await livesIn(former))
    assert.strictEqual(await lastOf(former), "plc_tombstone")
    ok(await signUp(names))
  })

  it("the object of an interrupted sign-up stays while a replica may not know its DID yet", async () => {
    const names = personOf()
    const former = await cutOffAfter("object", names)
    ok(await signUp(names))
    assert.isTrue(await livesIn(former))
    await world.inside(former, onAlarm)
    assert.isTrue(await livesIn(former))
    world.advance(5 * 60_000)
    await world.inside(former, onAlarm)
    assert.isFalse(await livesIn(former))
  })

  it("a sign-up loses to a restarted one of the same person, and undoes its own steps", async () => {
    const names = personOf()
    const both = await Promise.all([signUp(names), signUp(names)])
    const won = both.filter(({ status }) => status === 200)
    assert.lengthOf(won, 1)
    const log = await world.call("com.atproto.identity.resolveHandle", {
      params: { handle: names.handle }
    })
    assert.strictEqual(ok(log)["did"], won[0]!.body["did"])
  })

  it("the alarm announces a sign-up that became valid, and never ends it", async () => {
    const names = personOf()
    const did = await cutOffAfter("DID", names)
    await Effect.runPromise(world.directory.setStatus(did, "active"))
    world.advance(3_600_000)
    await world.inside(did, onAlarm)
    assert.isTrue(await livesIn(did))
    assert.strictEqual(await lastOf(did), "plc_operation")
    assert.strictEqual((await signUp(names)).status, 400)
  })
})
