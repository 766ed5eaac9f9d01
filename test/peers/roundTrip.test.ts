import { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Desk, makeDesk } from "../cli/command.ts"
import type { TestServer } from "../support/server/server.ts"
import { until } from "../support/server/server.ts"
import { openFirehose } from "../support/server/serverFirehose.ts"
import { openStream } from "../support/server/serverRelay.ts"
import type { Side } from "./moveByClient.ts"
import { atNacre, atOld } from "./sides.ts"
import {
  assertImages,
  logOf,
  newMover,
  plcOf,
  preferencesOf,
  recordsOf,
  startNacre,
  startWorld,
  type World
} from "./world.ts"

/** Collects a stream's events for an account, one line each, from the first one that the server has. */
const watch = async (url: string, did: string) => {
  const stream = await openStream(url, "?cursor=0")
  const frames = () => stream.frames.filter(({ body }) => (body.did ?? body.repo) === did)
  const received = () =>
    frames().map(({ type, body }) =>
      type === "#account" ? `${type} ${body.active ? "active" : body.status}` : type
    )
  /** The number of events up to the repo's newest commit, once that is among them. */
  const untilCommit = async (rev: string) => {
    await until("the newest commit", () => frames().some(({ body }) => body.rev === rev))
    return frames().findLastIndex(({ body }) => body.rev === rev) + 1
  }
  return { received, untilCommit, close: () => stream.close() }
}

const arrival = ["#identity", "#account active", "#identity", "#sync"]

describe("an account that goes from the reference to a server of this project, to another one, and back", () => {
  let world: World
  let second: TestServer
  let desk: Desk
  beforeAll(async () => {
    world = await startWorld({ PLC_ROTATION_KEY: "11".repeat(32) })
    second = await startNacre(world.plc, {
      HANDLE_DOMAINS: "net.test",
      PLC_ROTATION_KEY: "22".repeat(32)
    })
    desk = makeDesk()
  })
  afterAll(async () => {
    desk.remove()
    await second.stop()
    await world.stop()
  })

  it("an account keeps all its data through each move, with the specified events and a valid PLC log", async () => {
    const friend = await newMover(world, "odette", { posts: 1 })
    const mover = await newMover(world, "quentin")
    const { did, agent: there, email, password } = mover
    await there.follow(friend.did)
    const { data: app } = await there.com.atproto.server.createAppPassword({ name: "phone" })
    const hostKey = (await plcOf(world, did)).rotationKeys[0]!
    const atReference = await watch(world.old.publicUrl, did)
    // The reference sends an event up to a second after its response.
    const { data: newest } = await there.com.atproto.sync.getLatestCommit({ did })
    const before = await atReference.untilCommit(newest.rev)
    const atFirst = await watch(world.nacre.url, did)
    const atSecond = await watch(second.url, did)
    const consumers = [
      openFirehose(world.nacre),
      openFirehose({ ...second, plcUrl: world.plc.url })
    ]
    const passwords = { old: password, first: "a first password", second: "a second password" }

    let operations = 1
    let records = await recordsOf(world, there, did)
    assert.isTrue([...records.keys()].some((path) => path.startsWith("app.bsky.graph.follow/")))
    /** Moves the account, and checks everything that must be unchanged or must have changed. */
    const go = async (
      { from, to }: { readonly from: string; readonly to: string },
      side: Side,
      env: Readonly<Record<string, string>>,
      more: ReadonlyArray<string> = []
    ): Promise<AtpAgent> => {
      const code = await side.code(() =>
        side.agent.com.atproto.identity.requestPlcOperationSignature()
      )
      const moved = await desk.run(
        ["migrate", `--account=${did}`, `--from=${from}`, `--server=${to}`, ...more, "--json"],
        { PLC_URL: world.plc.url, NACRE_MAILED_CODE: code, ...env }
      )
      assert.strictEqual(moved.code, 0, moved.stderr)
      const agent = new AtpAgent({ service: to })
      await agent.login({ identifier: did, password: env["NACRE_NEW_PASSWORD"]! })
      // Until the first write the reference serves the imported commit, signed by the previous
      // server's key.
      if (to !== world.old.publicUrl) {
        assert.deepStrictEqual(await recordsOf(world, agent, did), records)
      }
      await assertImages(agent, mover)
      const { data: preferences } = await agent.app.bsky.actor.getPreferences()
      assert.includeDeepMembers(preferences.preferences, [...preferencesOf("quentin")])
      operations += 1
      assert.strictEqual((await logOf(world, did)).length, operations)
      const plc = await plcOf(world, did)
      const { data: wanted } = await agent.com.atproto.identity.getRecommendedDidCredentials()
      assert.strictEqual(plc.services["atproto_pds"]?.endpoint, to)
      assert.deepStrictEqual(plc.alsoKnownAs, wanted.alsoKnownAs)
      assert.deepStrictEqual(plc.verificationMethods, wanted.verificationMethods)
      const { data: left } = await side.agent.com.atproto.sync.getRepoStatus({ did })
      assert.deepInclude(left, { active: false, status: "deactivated" })
      const { data: status } = await agent.com.atproto.server.checkAccountStatus()
      assert.deepInclude(status, { activated: true, validDid: true })
      return agent
    }

    // From the reference, with the owner's own recovery key.
    const inFirst = await go(
      { from: world.old.publicUrl, to: world.nacre.publicUrl },
      atOld(world, there, email),
      { NACRE_PASSWORD: password, NACRE_NEW_PASSWORD: passwords.first },
      ["--recovery-key", "quentin.key"]
    )
    const [recovery = "", firstKey = "", ...rest] = (await plcOf(world, did)).rotationKeys
    assert.deepStrictEqual(rest, [])
    assert.notStrictEqual(firstKey, hostKey)
    const { data: apps } = await inFirst.com.atproto.server.listAppPasswords()
    assert.deepStrictEqual(apps.passwords, [])
    await inFirst.post({ text: "written at the first" })
    records = await recordsOf(world, inFirst, did)

    // To the second Nacre server: without naming the recovery key, which stays.
    const inSecond = await go(
      { from: world.nacre.publicUrl, to: second.publicUrl },
      atNacre(world, inFirst),
      { NACRE_PASSWORD: passwords.first, NACRE_NEW_PASSWORD: passwords.second }
    )
    const [kept, secondKey, ...none] = (await plcOf(world, did)).rotationKeys
    assert.strictEqual(kept, recovery)
    assert.notInclude([hostKey, firstKey], secondKey)
    assert.deepStrictEqual(none, [])
    await inSecond.post({ text: "written at the second" })
    records = await recordsOf(world, inSecond, did)

    // Back to the reference, where the account still exists.
    const home = await go(
      { from: second.publicUrl, to: world.old.publicUrl },
      atNacre({ ...world, nacre: second }, inSecond),
      { NACRE_PASSWORD: passwords.second, NACRE_NEW_PASSWORD: password }
    )
    assert.deepStrictEqual((await plcOf(world, did)).rotationKeys, [recovery, hostKey])
    const { data: again } = await home.com.atproto.server.listAppPasswords()
    assert.deepStrictEqual(
      again.passwords.map(({ name }) => name),
      ["phone"]
    )
    const byApp = new AtpAgent({ service: world.old.publicUrl })
    await byApp.login({ identifier: did, password: app.password })
    const { uri, cid } = await byApp.post({ text: "home again" })
    const path = uri.split("/").slice(3).join("/")
    assert.deepStrictEqual(await recordsOf(world, home, did), new Map([...records, [path, cid]]))

    const visit = [...arrival, "#commit", "#account deactivated"]
    await until("the last events", () => atSecond.received().length >= visit.length)
    await until("the last post", () => atReference.received().at(-1) === "#commit")
    assert.deepStrictEqual(atFirst.received(), visit)
    assert.deepStrictEqual(atSecond.received(), visit)
    assert.deepStrictEqual(atReference.received().slice(before), [
      "#account deactivated",
      "#identity",
      "#account active",
      "#identity",
      "#sync",
      "#commit"
    ])
    for (const consumer of consumers) {
      await consumer.received(did, visit.length)
      assert.deepStrictEqual(consumer.errors, [])
      await consumer.stop()
    }
    for (const { close } of [atReference, atFirst, atSecond]) close()
  })
})
