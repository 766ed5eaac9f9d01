import { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { startWorker } from "../support/server/server.ts"
import { startMemory } from "../support/server/serverMemory.ts"
import { openStream } from "../support/server/serverRelay.ts"
import { openFirehose } from "../support/server/serverFirehose.ts"
import { arrive, switchOver, transfer } from "./moveByClient.ts"
import { atNacre, atOld } from "./sides.ts"
import {
  assertImages,
  logOf,
  newMover,
  plcOf,
  preferencesOf,
  recordsOf,
  startWorld,
  type World
} from "./world.ts"

describe.each([
  ["in memory", startMemory, "amy"],
  ["in workerd", startWorker, "ann"]
] as const)("an account moved by the official client, with this server %s,", (_, start, name) => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({}, start)
  })
  afterAll(() => world.stop())

  it("an account moves from the reference to this server and back with all its data, and the specified events", async () => {
    const mover = await newMover(world, name)
    const { did, email, agent: there } = mover
    const before = await recordsOf(world, there, did)
    const { data: set } = await there.app.bsky.actor.getPreferences()
    assert.includeDeepMembers(set.preferences, [...preferencesOf(name)])
    const here = new AtpAgent({ service: world.nacre.publicUrl })
    const stream = await openStream(world.nacre.url, "")
    const consumer = openFirehose(world.nacre)
    const received = () => stream.frames.filter(({ body }) => (body.did ?? body.repo) === did)
    const kinds = () =>
      received().map(({ type, body }) => (type === "#account" ? `${type} ${body.active}` : type))

    const account = { handle: `${name}.new.test`, email, password: "another password" }
    await arrive(there, here, account)
    await transfer(there, here)
    assert.deepStrictEqual(kinds(), [])
    await switchOver(atOld(world, there, email), here)
    await consumer.received(did, 4)
    assert.deepStrictEqual(kinds(), ["#identity", "#account true", "#identity", "#sync"])

    assert.deepStrictEqual(await recordsOf(world, here, did), before)
    await assertImages(here, mover)
    const { data: status } = await here.com.atproto.server.checkAccountStatus()
    assert.deepInclude(status, {
      activated: true,
      validDid: true,
      expectedBlobs: 3,
      importedBlobs: 3
    })
    const { data } = await here.app.bsky.actor.getPreferences()
    assert.sameDeepMembers(data.preferences, set.preferences)
    const plc = await plcOf(world, did)
    assert.strictEqual(plc.services["atproto_pds"]?.endpoint, world.nacre.publicUrl)
    assert.deepStrictEqual(plc.alsoKnownAs, [`at://${name}.new.test`])
    const { data: wanted } = await here.com.atproto.identity.getRecommendedDidCredentials()
    assert.deepStrictEqual([...plc.rotationKeys], wanted.rotationKeys)

    // The post written here moves back with the rest.
    await here.post({ text: "written at the new place" })
    const after = await recordsOf(world, here, did)
    assert.strictEqual(after.size, before.size + 1)
    await there.login({ identifier: did, password: mover.password })
    await transfer(here, there)
    await switchOver(atNacre(world, here), there)
    await consumer.received(did, 6)
    assert.deepStrictEqual(kinds().slice(4), ["#commit", "#account false"])
    assert.strictEqual(received()[5]!.body.status, "deactivated")
    assert.deepStrictEqual(consumer.errors, [])
    await assertImages(there, mover)
    const back = await plcOf(world, did)
    assert.strictEqual(back.services["atproto_pds"]?.endpoint, world.old.publicUrl)
    assert.strictEqual((await logOf(world, did)).length, 3)

    // Checks that it works there: the reference signs the next write with its own key.
    const { uri, cid } = await there.post({ text: "back again" })
    const path = uri.split("/").slice(3).join("/")
    assert.deepStrictEqual(await recordsOf(world, there, did), new Map([...after, [path, cid]]))
    stream.close()
    await consumer.stop()
  })
})
