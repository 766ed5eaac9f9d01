import { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { existsSync, readFileSync, statSync } from "node:fs"
import { type Desk, makeDesk } from "../cli/command.ts"
import { until } from "../support/server/server.ts"
import { openStream } from "../support/server/serverRelay.ts"
import { killWhen } from "./killing.ts"
import { atNacre, atOld } from "./sides.ts"
import {
  assertImages,
  logOf,
  type Mover,
  newMover,
  plcOf,
  recordsOf,
  startWorld,
  type World
} from "./world.ts"

const newPassword = "another password"

/** The arguments for moving in. */
const migrateOf = ({ old, nacre }: World, { did, name }: Mover) => [
  "migrate",
  `--account=${did}`,
  `--from=${old.publicUrl}`,
  `--server=${nacre.publicUrl}`,
  `--handle=${name}`,
  "--json"
]

const environmentOf = ({ plc }: World, { password }: Mover) => ({
  PLC_URL: plc.url,
  NACRE_PASSWORD: password,
  NACRE_NEW_PASSWORD: newPassword
})

const requestCode = (agent: AtpAgent) => () =>
  agent.com.atproto.identity.requestPlcOperationSignature()

/** A session at the new server. */
const arrived = async ({ nacre }: World, { did }: Mover): Promise<AtpAgent> => {
  const agent = new AtpAgent({ service: nacre.publicUrl })
  await agent.login({ identifier: did, password: newPassword })
  return agent
}

describe("an account moved by the command", () => {
  let world: World
  let desk: Desk
  beforeAll(async () => {
    world = await startWorld()
    desk = makeDesk()
  })
  afterAll(async () => {
    desk.remove()
    await world.stop()
  })

  it("an account's move is planned without changes, moves in with a recovery key, and moves out again", async () => {
    const mover = await newMover(world, "bob")
    const { did, agent: there } = mover
    const before = await recordsOf(world, there, did)
    const stream = await openStream(world.nacre.url, "")
    const received = () => stream.frames.filter(({ body }) => (body.did ?? body.repo) === did)
    const kinds = () => received().map(({ type, body }) => `${type} ${body.active ?? ""}`.trim())
    const command = migrateOf(world, mover)
    const env = environmentOf(world, mover)

    const planned = await desk.run([...command, "--dry-run"], env)
    assert.strictEqual(planned.code, 0, planned.stderr)
    assert.deepInclude(planned.json, {
      dryRun: true,
      did,
      handle: "bob.new.test",
      records: before.size,
      blobs: 3,
      isThere: false,
      keysThatStay: []
    })
    const status = `${world.nacre.url}/xrpc/com.atproto.sync.getRepoStatus?did=${did}`
    assert.strictEqual((await fetch(status)).status, 400)
    assert.strictEqual((await logOf(world, did)).length, 1)

    // Without a terminal it stops at the code, and prints the next step.
    const move = [...command, "--recovery-key", "bob.key"]
    const mails = world.old.mails.length
    const halted = await desk.run(move, env)
    assert.strictEqual(halted.code, 1)
    assert.include(halted.stderr, "NACRE_MAILED_CODE")
    const state = desk.path(`nacre-move-${did.replaceAll(":", "-")}.json`)
    assert.strictEqual(statSync(state).mode & 0o777, 0o600)
    for (const secret of [mover.password, newPassword]) {
      assert.notInclude(readFileSync(state, "utf8") + halted.stderr + halted.stdout, secret)
    }
    const code = await world.old.code(mover.email, mails)
    const moved = await desk.run(move, { ...env, NACRE_MAILED_CODE: code })
    assert.strictEqual(moved.code, 0, moved.stderr)
    const recovery = JSON.parse(readFileSync(desk.path("bob.key"), "utf8")).didKey
    assert.deepInclude(moved.json, {
      did,
      handle: "bob.new.test",
      activated: true,
      validDid: true,
      records: before.size,
      blobs: { expected: 3, imported: 3, missing: [] }
    })
    assert.deepStrictEqual(
      moved.json.steps.map(({ done }: { done: string }) => done),
      ["before", "before", "before", "now", "now", "now"]
    )
    assert.strictEqual((await plcOf(world, did)).rotationKeys[0], recovery)
    assert.isFalse(existsSync(state))
    await until("the events of moving in", () => received().length >= 4)
    assert.deepStrictEqual(kinds(), ["#identity", "#account true", "#identity", "#sync"])
    const here = await arrived(world, mover)
    assert.deepStrictEqual(await recordsOf(world, here, did), before)
    await assertImages(here, mover)

    // A repeated run finds everything done.
    const again = await desk.run(move, env)
    assert.strictEqual(again.code, 0, again.stderr)
    assert.notInclude(JSON.stringify(again.json.steps), "now")

    await here.post({ text: "written at the new place" })
    const after = await recordsOf(world, here, did)
    const back = [
      "leave",
      `--to=${world.old.publicUrl}`,
      `--account=${did}`,
      `--server=${world.nacre.publicUrl}`,
      "--json"
    ]
    const left = await desk.run(back, {
      ...env,
      NACRE_PASSWORD: newPassword,
      NACRE_NEW_PASSWORD: mover.password,
      NACRE_MAILED_CODE: await atNacre(world, here).code(requestCode(here))
    })
    assert.strictEqual(left.code, 0, left.stderr)
    const plc = await plcOf(world, did)
    assert.strictEqual(plc.services["atproto_pds"]?.endpoint, world.old.publicUrl)
    assert.strictEqual(plc.rotationKeys[0], recovery)
    await until("the events of moving out", () => received().length >= 6)
    assert.deepStrictEqual(kinds().slice(4), ["#commit", "#account false"])
    await there.login({ identifier: did, password: mover.password })
    const { uri, cid } = await there.post({ text: "back again" })
    const path = uri.split("/").slice(3).join("/")
    assert.deepStrictEqual(await recordsOf(world, there, did), new Map([...after, [path, cid]]))
    await assertImages(there, mover)
    stream.close()
  })

  it("a move resumes after it was killed in the middle of each step, and after each", async () => {
    const mover = await newMover(world, "carol")
    const { did, agent: there } = mover
    const before = await recordsOf(world, there, did)
    const command = migrateOf(world, mover)
    const env = environmentOf(world, mover)
    const old = atOld(world, there, mover.email)
    const marks = [
      /Created the account on/,
      ...[1, 2, 3, 4, 5, 6].flatMap((nth) => [
        new RegExp(`\\[${nth}/6\\] .*…`),
        new RegExp(`\\[${nth}/6\\] .*: done$`, "m")
      ])
    ]
    let kills = 0
    for (const mark of marks) {
      const code = await old.code(requestCode(there))
      const { killed } = await killWhen(desk, command, { ...env, NACRE_MAILED_CODE: code }, mark)
      if (killed) kills += 1
    }
    // A killed step may complete in the background and then isn't repeated: how many, is chance.
    assert.isAtLeast(kills, 1)
    const last = await desk.run(command, env)
    assert.strictEqual(last.code, 0, last.stderr)
    const here = await arrived(world, mover)
    assert.deepStrictEqual(await recordsOf(world, here, did), before)
    await assertImages(here, mover)
    assert.strictEqual((await logOf(world, did)).length, 2)
    const status = await there.com.atproto.sync.getRepoStatus({ did })
    assert.isFalse(status.data.active)
  })

  it("a move copies records written between two runs, and leaves lost blobs behind only on request", async () => {
    const mover = await newMover(world, "erin")
    const { did, agent: there, images } = mover
    const command = migrateOf(world, mover)
    const env = environmentOf(world, mover)
    const [lost] = images
    world.old.lose(did, lost!.cid)

    const halted = await desk.run([...command, "--until=preferences"], env)
    assert.strictEqual(halted.code, 1)
    assert.include(halted.stderr, lost!.cid)
    assert.include(halted.stderr, "--allow-missing-blobs")
    const allowed = [...command, "--allow-missing-blobs"]
    const begun = await desk.run([...allowed, "--until=preferences"], env)
    assert.strictEqual(begun.code, 0, begun.stderr)
    assert.deepInclude(begun.json, { activated: false, validDid: false })
    assert.deepStrictEqual(begun.json.blobs, { expected: 3, imported: 2, missing: [lost!.cid] })
    assert.strictEqual((await logOf(world, did)).length, 1)

    await there.post({ text: "written meanwhile" })
    const records = await recordsOf(world, there, did)
    const code = await atOld(world, there, mover.email).code(requestCode(there))
    const moved = await desk.run(allowed, { ...env, NACRE_MAILED_CODE: code })
    assert.strictEqual(moved.code, 0, moved.stderr)
    assert.deepInclude(moved.json, { activated: true, validDid: true, records: records.size })
    assert.deepStrictEqual(await recordsOf(world, await arrived(world, mover), did), records)
    // A permanently lost blob doesn't block the move.
    assert.strictEqual((await desk.run(command, env)).code, 0)
  })
})
