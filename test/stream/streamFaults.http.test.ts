import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import {
  firstRkey,
  ok,
  type Person,
  post,
  settled,
  signUp,
  startWorld,
  takeDown,
  tidOf,
  type World
} from "../support/http/httpWorld.ts"
import { checkFrame, decodeFrame, type Frame, type Mirror } from "../support/server/serverFrames.ts"

const collection = "app.bsky.feed.post"

describe("event stream faults that other servers had", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const write = async (who: Person, name: string, input: object) =>
    ok(
      await world.call(`com.atproto.repo.${name}`, {
        auth: who.auth,
        input: { repo: who.did, collection, ...input }
      })
    )

  const keyOf = async (did: string): Promise<string> => {
    const { didDoc } = ok(await world.call("com.atproto.identity.resolveDid", { params: { did } }))
    return `did:key:${didDoc.verificationMethod[0].publicKeyMultibase}`
  }

  /** Waits until a reader has everybody's newest event. */
  const readAll = async (frames: ReadonlyArray<Uint8Array>, people: ReadonlyArray<Person>) => {
    for (const { did } of people) await settled(world, did)
    await world.delivered()
    return frames.map(decodeFrame)
  }

  const seqs = (frames: ReadonlyArray<Frame>) => frames.map(({ body }) => body.seq)

  it("a reader from the beginning gets every event once, past a thousand, while more are written", async () => {
    const who = await signUp(world, "busy")
    const everybody = [world.alice, world.bob, world.carol, world.dora, who]
    const live = world.subscribe()
    for (let count = 0; count < 1200; count++) {
      await write(who, "putRecord", { rkey: firstRkey, record: post(`${count}`) })
    }
    await settled(world, who.did)
    const replayed = world.subscribe(0)
    for (let count = 0; count < 300; count++) {
      await write(who, "putRecord", { rkey: firstRkey, record: post(`later ${count}`) })
    }
    const all = await readAll(replayed, everybody)
    const numbers = seqs(all)
    assert.strictEqual(new Set(numbers).size, numbers.length)
    assert.deepStrictEqual(
      numbers,
      numbers.toSorted((a, b) => a - b)
    )
    const commits = all.filter(({ type, body }) => type === "#commit" && body.repo === who.did)
    assert.lengthOf(commits, 1 + 2 + 1500)
    for (const [at, { body }] of commits.entries()) {
      assert.strictEqual(body.since, at === 0 ? null : commits[at - 1]!.body.rev)
    }
    const lived = seqs(await readAll(live, everybody))
    assert.deepStrictEqual(lived, numbers.slice(-lived.length))
    const middle = numbers[700]!
    const resumed = await readAll(world.subscribe(middle), everybody)
    assert.deepStrictEqual(seqs(resumed), numbers.slice(701))
  })

  it("sequence numbers start at the time in microseconds, so they never decrease after a restore", async () => {
    const [first] = await readAll(world.subscribe(0), [])
    assert.isAbove(first!.body.seq, Date.UTC(2026, 0) * 1000)
    assert.isAtMost(first!.body.seq, world.now() * 1000)
  })

  it("every event can be verified: its signature, its inversion to prevData, and its predecessor", async () => {
    const who = await signUp(world, "verified")
    const writes = (from: number, action: string) =>
      Array.from({ length: 60 }, (_, at) => ({
        $type: `com.atproto.repo.applyWrites#${action}`,
        collection,
        rkey: tidOf(from + at),
        ...(action === "delete" ? {} : { value: post(`${action} ${at}`) })
      }))
    await write(who, "applyWrites", { writes: writes(5000, "create") })
    await write(who, "applyWrites", { writes: writes(5000, "update") })
    for (let at = 0; at < 60; at += 3) await write(who, "deleteRecord", { rkey: tidOf(5000 + at) })
    await write(who, "putRecord", { rkey: tidOf(5000), record: post("back again") })
    await write(who, "applyWrites", {
      writes: [...writes(6000, "create"), ...writes(6000, "delete").slice(0, 30)]
    })
    for (const twin of [1, 2]) {
      await write(who, "putRecord", { rkey: tidOf(7000 + twin), record: post("the same") })
    }
    await write(who, "deleteRecord", { rkey: tidOf(7001) })
    const frames = await readAll(world.subscribe(0), [who])
    const mirrors = new Map<string, Mirror>()
    for (const frame of frames) {
      if ((frame.body.repo ?? frame.body.did) === who.did) await checkFrame(frame, keyOf, mirrors)
    }
    const params = { did: who.did }
    const head = ok(await world.call("com.atproto.sync.getLatestCommit", { params }))
    assert.strictEqual(mirrors.get(who.did)?.rev, head["rev"])
  })

  it("an event of two megabytes arrives complete", async () => {
    const who = await signUp(world, "large")
    const live = world.subscribe()
    const value = (letter: string) => ({ $type: "com.example.large", text: letter.repeat(900_000) })
    const writes = ["a", "b"].map((letter) => ({
      $type: "com.atproto.repo.applyWrites#create",
      collection: "com.example.large",
      rkey: letter,
      value: value(letter)
    }))
    await write(who, "applyWrites", { writes })
    const [{ body, size } = assert.fail("no event")] = (await readAll(live, [who])).filter(
      ({ body }) => body.ops?.length === 2
    )
    assert.isAbove(size, 1_800_000)
    assert.strictEqual(body.repo, who.did)
    const again = await readAll(world.subscribe(body.seq - 1), [who])
    assert.strictEqual(again[0]?.size, size)
  })

  it("a sign-up emits identity, account, commit and sync, and every change of status an #account", async () => {
    const live = world.subscribe()
    const who = await signUp(world, "events")
    const server = (name: string, asked: object) =>
      world.call(`com.atproto.server.${name}`, { auth: who.auth, ...asked })
    ok(await server("deactivateAccount", { input: {} }))
    ok(await server("activateAccount", { method: "POST" }))
    await takeDown(world, who.did, "takendown")
    const frames = (await readAll(live, [who])).filter(
      ({ body }) => (body.repo ?? body.did) === who.did
    )
    const told = frames.map(({ type, body }) =>
      type === "#account" ? `${type} ${body.active} ${body.status}` : type
    )
    assert.deepStrictEqual(told, [
      "#identity",
      "#account true undefined",
      "#commit",
      "#sync",
      "#commit",
      "#commit",
      "#account false deactivated",
      "#account true undefined",
      "#identity",
      "#sync",
      "#account false takendown"
    ])
  })

  it("listRepos returns the newest commit as the head once the log has it", async () => {
    const { commit } = await write(world.alice, "createRecord", { record: post() })
    const { did } = world.alice
    await settled(world, did)
    const { repos } = ok(
      await world.call("com.atproto.sync.listRepos", { params: { limit: 1000 } })
    )
    const listed = repos.find((repo: Person) => repo.did === did)
    assert.deepStrictEqual([listed.head, listed.rev], [commit.cid, commit.rev])
    const head = await world.call("com.atproto.sync.getHead", { params: { did } })
    assert.strictEqual(ok(head)["root"], commit.cid)
  })
})
