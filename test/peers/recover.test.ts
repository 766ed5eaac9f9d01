import { AtpAgent } from "@atproto/api"
import { Secp256k1Keypair } from "@atproto/crypto"
import { getFullRepo, MemoryBlockstore, Repo } from "@atproto/repo"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { type Desk, makeDesk } from "../cli/command.ts"
import { until } from "../support/server/server.ts"
import { openStream } from "../support/server/serverRelay.ts"
import { startReference } from "./peers.ts"
import { killWhen } from "./killing.ts"
import { atOld } from "./sides.ts"
import {
  assertImages,
  logOf,
  type Mover,
  newMover,
  plcOf,
  preferencesOf,
  recordsOf,
  startWorld,
  type World
} from "./world.ts"

const newPassword = "another password"

/** Creates a recovery key with the command and places it before the old server's. */
const holdKey = async (world: World, desk: Desk, mover: Mover, file: string) => {
  const made = await desk.run(["key", "recovery", "make", file, "--json"])
  assert.strictEqual(made.code, 0, made.stderr)
  const { did, agent } = mover
  const { rotationKeys } = await plcOf(world, did)
  const token = await atOld(world, agent, mover.email).code(() =>
    agent.com.atproto.identity.requestPlcOperationSignature()
  )
  const { data } = await agent.com.atproto.identity.signPlcOperation({
    token,
    rotationKeys: [made.json.didKey, ...rotationKeys]
  })
  await agent.com.atproto.identity.submitPlcOperation({ operation: data.operation })
  assert.strictEqual((await plcOf(world, did)).rotationKeys[0], made.json.didKey)
  return made.json.didKey as string
}

/** A repo of a DID that somebody else has created. */
const forgedRepo = async (did: string) => {
  const storage = new MemoryBlockstore()
  const repo = await Repo.create(storage, did, await Secp256k1Keypair.create(), [])
  const parts: Array<Uint8Array> = []
  for await (const part of getFullRepo(storage, repo.cid)) parts.push(part)
  return Buffer.concat(parts)
}

describe("an account whose server is gone", () => {
  let world: World
  let desk: Desk
  let env: Readonly<Record<string, string>>
  beforeAll(async () => {
    // Its reference ends in the middle.
    const shared = await startWorld()
    world = { ...shared, old: await startReference(shared.plc) }
    desk = makeDesk()
    env = { PLC_URL: world.plc.url, NACRE_NEW_PASSWORD: newPassword }
  })
  afterAll(async () => {
    desk.remove()
    await world.old.stop()
    await world.stop()
  })

  const commandFor = (backup: string, key: string, name: string) => [
    "recover",
    desk.path(backup),
    `--recovery-key=${desk.path(key)}`,
    `--server=${world.nacre.publicUrl}`,
    `--handle=${name}`,
    "--yes",
    "--json"
  ]

  const arrived = async ({ did }: Mover) => {
    const agent = new AtpAgent({ service: world.nacre.publicUrl })
    await agent.login({ identifier: did, password: newPassword })
    return agent
  }

  it("recovery restores an account completely from its export and recovery key, even if it was killed at any point", async () => {
    const [dora, eve] = await Promise.all([newMover(world, "dora"), newMover(world, "eve")])
    const recovery = await holdKey(world, desk, dora, desk.path("dora.key"))
    await holdKey(world, desk, eve, desk.path("eve.key"))
    const records = await recordsOf(world, dora.agent, dora.did)
    const eveRecords = await recordsOf(world, eve.agent, eve.did)
    const exported = await desk.run(
      ["export", "dora", `--account=${dora.did}`, `--server=${world.old.publicUrl}`],
      { PLC_URL: world.plc.url, NACRE_PASSWORD: dora.password }
    )
    assert.strictEqual(exported.code, 0, exported.stderr)
    const eveCar = await eve.agent.com.atproto.sync.getRepo({ did: eve.did })
    writeFileSync(desk.path("eve.car"), eveCar.data)
    await world.old.stop()

    const stream = await openStream(world.nacre.url, "")
    const kinds = (did: string) =>
      stream.frames
        .filter(({ body }) => (body.did ?? body.repo) === did)
        .map(({ type, body }) => `${type} ${body.active ?? ""}`.trim())

    // Eve's key isn't Dora's, and a repo that Eve has signed isn't either.
    writeFileSync(desk.path("forged.car"), await forgedRepo(dora.did))
    for (const [backup, key, reason] of [
      ["dora", "eve.key", "isn't a rotation key of"],
      ["forged.car", "dora.key", "isn't signed by any key"]
    ] as const) {
      const refused = await desk.run(commandFor(backup, key, "dora"), env)
      assert.strictEqual(refused.code, 1)
      assert.include(refused.stderr, reason)
    }
    assert.strictEqual((await logOf(world, dora.did)).length, 2)

    const command = commandFor("dora", "dora.key", "dora")
    let kills = 0
    for (const mark of [
      /now controls the identity/,
      /Created the account on/,
      ...[1, 2, 3, 4].flatMap((nth) => [
        new RegExp(`\\[${nth}/4\\] .*…`),
        new RegExp(`\\[${nth}/4\\] .*: done$`, "m")
      ])
    ]) {
      const { killed } = await killWhen(desk, command, env, mark)
      if (killed) kills += 1
    }
    // A killed step may complete in the background: how many are killed, is chance.
    assert.isAtLeast(kills, 1)
    const back = await desk.run(command, env)
    assert.strictEqual(back.code, 0, back.stderr)
    assert.deepInclude(back.json, {
      did: dora.did,
      handle: "dora.new.test",
      activated: true,
      validDid: true,
      records: records.size,
      blobs: { expected: 3, imported: 3, missing: [] }
    })
    const agent = await arrived(dora)
    assert.deepStrictEqual(await recordsOf(world, agent, dora.did), records)
    await assertImages(agent, dora)
    const { data } = await agent.app.bsky.actor.getPreferences()
    assert.includeDeepMembers(data.preferences, [...preferencesOf("dora")])
    const plc = await plcOf(world, dora.did)
    const { data: wanted } = await agent.com.atproto.identity.getRecommendedDidCredentials()
    assert.deepStrictEqual([...plc.rotationKeys], wanted.rotationKeys)
    assert.strictEqual(plc.rotationKeys[0], recovery)
    assert.lengthOf(plc.rotationKeys, 2)
    // Created, recovery key added, temporary key added, moved to the new server.
    assert.strictEqual((await logOf(world, dora.did)).length, 4)
    await until("the events", () => kinds(dora.did).length >= 4)
    assert.deepStrictEqual(kinds(dora.did), ["#identity", "#account true", "#identity", "#sync"])

    // A CAR alone restores the records; the blobs are reported as missing.
    const bare = await desk.run(commandFor("eve.car", "eve.key", "eve"), env)
    assert.strictEqual(bare.code, 0, bare.stderr)
    assert.deepInclude(bare.json, { activated: true, records: eveRecords.size })
    assert.sameMembers(
      bare.json.blobs.missing,
      eve.images.map(({ cid }) => cid)
    )
    const eveThere = await arrived(eve)
    assert.deepStrictEqual(await recordsOf(world, eveThere, eve.did), eveRecords)
    await eveThere.post({ text: "back from a file" })
    stream.close()
  })

  it("recovery works although the server has removed the recovery key, within 72 hours", async () => {
    const own = await startWorld()
    const mover = await newMover(own, "frank")
    const { did, agent, email } = mover
    const file = desk.path("frank.key")
    const recovery = await holdKey(own, desk, mover, file)
    const records = await recordsOf(own, agent, did)
    const car = await agent.com.atproto.sync.getRepo({ did })
    writeFileSync(desk.path("frank.car"), car.data)
    // The old server keeps the DID, and writes in the owner's name.
    const token = await atOld(own, agent, email).code(() =>
      agent.com.atproto.identity.requestPlcOperationSignature()
    )
    const { data } = await agent.com.atproto.identity.signPlcOperation({
      token,
      rotationKeys: [(await plcOf(own, did)).rotationKeys[1]!],
      alsoKnownAs: ["at://mallory.old.test"]
    })
    const taken = await fetch(`${own.plc.url}/${did}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(data.operation)
    })
    assert.strictEqual(taken.status, 200)
    assert.notInclude((await plcOf(own, did)).rotationKeys, recovery)

    const command = [
      "recover",
      desk.path("frank.car"),
      `--recovery-key=${file}`,
      `--server=${own.nacre.publicUrl}`,
      "--handle=frank",
      "--yes",
      "--json"
    ]
    const back = await desk.run(command, {
      PLC_URL: own.plc.url,
      NACRE_NEW_PASSWORD: newPassword
    })
    assert.strictEqual(back.code, 0, back.stderr)
    assert.include(back.stderr, "Undid the changes")
    assert.deepInclude(back.json, { handle: "frank.new.test", activated: true, validDid: true })
    const plc = await plcOf(own, did)
    assert.strictEqual(plc.rotationKeys[0], recovery)
    assert.deepStrictEqual(plc.alsoKnownAs, ["at://frank.new.test"])
    const there = new AtpAgent({ service: own.nacre.publicUrl })
    await there.login({ identifier: did, password: newPassword })
    assert.deepStrictEqual(await recordsOf(own, there, did), records)
    await own.stop()
  })
})
