import { Secp256k1Keypair } from "@atproto/crypto"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { turnAuthenticatorOn } from "../../support/server/serverAuthenticator.ts"
import {
  assertLives,
  codeAt,
  migration,
  newMover,
  newPassword,
  rotationKeysOf,
  signedInAt,
  startTwo,
  type Two
} from "./moveWorld.ts"

let world: Two
beforeAll(async () => {
  world = await startTwo()
})
afterAll(() => world.stop())

/** Adds rotation keys to a DID, as its owner can. */
const addKeys = async (who: Awaited<ReturnType<typeof newMover>>, more: ReadonlyArray<string>) => {
  const { agent, did } = who
  const token = await codeAt(world.one, agent)
  const rotationKeys = [...more, ...(await rotationKeysOf(world, did))]
  const { data } = await agent.com.atproto.identity.signPlcOperation({ token, rotationKeys })
  await agent.com.atproto.identity.submitPlcOperation({ operation: data.operation })
}

const newKey = async () => (await Secp256k1Keypair.create()).did()

describe("an account that moves between servers", () => {
  it("a move there and back keeps the owner's recovery keys in order without naming them", async () => {
    const mover = await newMover(world, "kim")
    const { did, agent, password } = mover
    const hostKey = (await rotationKeysOf(world, did))[0]!
    const mine = [await newKey(), await newKey()] as const
    await addKeys(mover, mine)
    const { args, env } = migration(world, mover)

    const planned = await world.desk.run([...args, "--dry-run"], env)
    assert.strictEqual(planned.code, 0, planned.stderr)
    assert.deepInclude(planned.json, { keysThatStay: mine, keysThatGo: [hostKey] })
    const code = await codeAt(world.one, agent)
    const moved = await world.desk.run(args, { ...env, NACRE_MAILED_CODE: code })
    assert.strictEqual(moved.code, 0, moved.stderr)
    const there = await signedInAt(world.two, { did, password: newPassword })
    await assertLives(world.two, there, 4)
    const keys = await rotationKeysOf(world, did)
    assert.deepStrictEqual(keys.slice(0, 2), [...mine])
    assert.strictEqual(keys.length, 3)
    assert.notInclude(keys, hostKey)

    // Move back without the second key.
    const back = ["leave", `--account=${did}`, `--server=${world.two.publicUrl}`, "--json"]
    const left = await world.desk.run(
      [...back, `--to=${world.one.publicUrl}`, `--drop-key=${mine[1]}`],
      {
        PLC_URL: world.one.plcUrl,
        NACRE_PASSWORD: newPassword,
        NACRE_NEW_PASSWORD: password,
        NACRE_MAILED_CODE: await codeAt(world.two, there)
      }
    )
    assert.strictEqual(left.code, 0, left.stderr)
    assert.deepStrictEqual(await rotationKeysOf(world, did), [mine[0], hostKey])
  })

  it("a move with more than five rotation keys fails before it changes anything, and lists the keys to drop", async () => {
    const mover = await newMover(world, "five")
    const mine = [await newKey(), await newKey(), await newKey(), await newKey()]
    await addKeys(mover, mine)
    const { args, env } = migration(world, mover)
    const refused = await world.desk.run([...args, `--recovery-key=${await newKey()}`], env)
    assert.strictEqual(refused.code, 1)
    assert.match(refused.json.message, /would have 6 rotation keys, but only 5 are allowed/)
    for (const key of mine) assert.include(refused.json.next, key)
    const status = `${world.two.url}/xrpc/com.atproto.sync.getRepoStatus?did=${mover.did}`
    assert.strictEqual((await fetch(status)).status, 400)
  })

  it("a move asks for the old server's second factor, and each code works for one run", async () => {
    const mover = await newMover(world, "tot")
    const { did, agent } = mover
    const codes = await turnAuthenticatorOn(world.one, mover)
    assert.strictEqual(codes.length, 10)
    const { args, env } = migration(world, mover)

    const asked = await world.desk.run(args, env)
    assert.strictEqual(asked.code, 1)
    assert.strictEqual(asked.json.error, "AuthFactorTokenRequired")
    assert.match(asked.json.next, /NACRE_CODE.*authenticator.*mailed/)
    const first = await world.desk.run([...args, "--until=blobs"], {
      ...env,
      NACRE_CODE: codes[0]!
    })
    assert.strictEqual(first.code, 0, first.stderr)
    const spent = await world.desk.run(args, { ...env, NACRE_CODE: codes[0]! })
    assert.strictEqual(spent.code, 1)
    assert.match(spent.json.message, /rejected the code in NACRE_CODE/)
    assert.match(spent.json.next, /works once/)
    const moved = await world.desk.run(args, {
      ...env,
      NACRE_CODE: codes[1]!,
      NACRE_MAILED_CODE: await codeAt(world.one, agent)
    })
    assert.strictEqual(moved.code, 0, moved.stderr)
    await assertLives(world.two, await signedInAt(world.two, { did, password: newPassword }), 4)

    // On the way back, the code is the new server's, which is the old one.
    const there = await signedInAt(world.two, { did, password: newPassword })
    const back = ["leave", `--account=${did}`, `--server=${world.two.publicUrl}`, "--json"]
    const left = await world.desk.run([...back, `--to=${world.one.publicUrl}`], {
      PLC_URL: world.one.plcUrl,
      NACRE_PASSWORD: newPassword,
      NACRE_NEW_PASSWORD: mover.password,
      NACRE_NEW_CODE: codes[2]!,
      NACRE_MAILED_CODE: await codeAt(world.two, there)
    })
    assert.strictEqual(left.code, 0, left.stderr)
  })
})
