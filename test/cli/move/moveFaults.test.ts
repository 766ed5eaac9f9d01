import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtempSync, readdirSync, readFileSync } from "node:fs"
import { type Fault, type Faulty, startFaulty } from "../../support/server/faultyServer.ts"
import { adminOf } from "../../support/server/serverPeople.ts"
import { stopWhen } from "../command.ts"
import {
  assertLives,
  codeAt,
  migration,
  newMover,
  newPassword,
  signedInAt,
  startTwo,
  type Two
} from "./moveWorld.ts"

const getRepo = "com.atproto.sync.getRepo"
const getBlob = "com.atproto.sync.getBlob"

let world: Two
let old: Faulty
let here: Faulty
beforeAll(async () => {
  world = await startTwo()
  old = await startFaulty(world.one.publicUrl)
  here = await startFaulty(world.two.publicUrl)
})
afterAll(async () => {
  await Promise.all([old.stop(), here.stop()])
  await world.stop()
})

/** A person who moves between servers with faults. */
const faulty = async (name: string) => {
  const mover = await newMover(world, name)
  const { args, env } = migration(world, mover, old.url)
  const through = args.map((arg) => (arg.startsWith("--server=") ? `--server=${here.url}` : arg))
  const live = async () => {
    const { did } = mover
    await assertLives(world.two, await signedInAt(world.two, { did, password: newPassword }), 4)
  }
  return { ...mover, args: through, env, live }
}

const busy = (status: number, headers: Readonly<Record<string, string>> = {}): Fault => ({
  status,
  headers
})

describe("a move between servers that have faults", () => {
  it("a move waits as long as a server asks, and retries servers that are briefly unreachable", async () => {
    const { agent, args, env, live } = await faulty("wait")
    // A quarter of an hour from now, which the test never takes.
    const soon = String(Math.floor(Date.now() / 1000) + 1000)
    old.fail(getRepo, busy(503), busy(502), busy(429, { "retry-after": "7" }))
    old.fail(getBlob, busy(429, { "ratelimit-reset": soon }), busy(500), busy(429))
    old.fail("com.atproto.server.describeServer", busy(503))
    here.fail("com.atproto.repo.importRepo", busy(503), "silent")
    here.fail("com.atproto.repo.uploadBlob", busy(503), "silent", busy(429, { "retry-after": "0" }))
    here.fail("com.atproto.server.activateAccount", busy(503), "silent")
    old.fail("com.atproto.server.deactivateAccount", busy(504))
    const code = await codeAt(world.one, agent)
    const {
      code: exit,
      json,
      stderr
    } = await world.desk.run(args, {
      ...env,
      NACRE_MAILED_CODE: code
    })
    assert.strictEqual(exit, 0, stderr)
    assert.strictEqual(old.left() + here.left(), 0)
    assert.include(stderr, `${old.url} is limiting requests. Retrying in 7 s`)
    assert.include(world.desk.pauses, 7000)
    assert.isTrue(world.desk.pauses.some((pause) => pause > 700_000 && pause <= 1_000_500))
    assert.match(stderr, /answered 503[^\n]*\. Retrying in 1 s/)
    assert.deepInclude(json, { activated: true, validDid: true })
    await live()
  })

  it("a move fetches interrupted, incomplete and wrong data again", async () => {
    const { agent, args, env, live } = await faulty("torn")
    old.fail(getRepo, "cut", "torn", "short")
    old.fail(getBlob, "cut", "spoilt", "short")
    const code = await codeAt(world.one, agent)
    const moved = await world.desk.run(args, { ...env, NACRE_MAILED_CODE: code })
    assert.strictEqual(moved.code, 0, moved.stderr)
    assert.strictEqual(old.left(), 0)
    assert.deepStrictEqual(moved.json.blobs, { expected: 3, imported: 3, missing: [] })
    await live()
  })

  it("a move asks three times for a blob that the old server doesn’t send, and then leaves it behind only on request", async () => {
    const { did, agent, args, env } = await faulty("stuck")
    const { data } = await agent.com.atproto.sync.listBlobs({ did })
    const [cid = ""] = data.cids
    old.stick(cid)
    const calls = old.calls(getBlob)
    const halted = await world.desk.run(args, env)
    assert.strictEqual(halted.code, 1)
    assert.include(halted.stderr, cid)
    assert.include(halted.stderr, "--allow-missing-blobs")
    // Three rounds of three tries, and the two other blobs.
    assert.strictEqual(old.calls(getBlob), calls + 11)
    const moved = await world.desk.run([...args, "--allow-missing-blobs"], {
      ...env,
      NACRE_MAILED_CODE: await codeAt(world.one, agent)
    })
    assert.strictEqual(moved.code, 0, moved.stderr)
    assert.deepStrictEqual(moved.json.blobs, { expected: 3, imported: 2, missing: [cid] })
  })

  it("a move stops and says when to retry if a server asks for a long pause", async () => {
    const { args, env } = await faulty("long")
    old.fail(getRepo, busy(429, { "retry-after": "7000" }))
    const refused = await world.desk.run(args, env)
    assert.strictEqual(refused.code, 1)
    assert.strictEqual(refused.json.next, "Wait 117 minutes, then run the command again.")
  })

  it("a move never repeats a call that isn't idempotent, and finds out what is done when it resumes", async () => {
    const { agent, args, env, live } = await faulty("once")
    here.fail("com.atproto.server.createAccount", "silent")
    const made = here.calls("com.atproto.server.createAccount")
    const broken = await world.desk.run(args, env)
    assert.strictEqual(broken.code, 1)
    assert.strictEqual(here.calls("com.atproto.server.createAccount"), made + 1)
    here.fail("com.atproto.identity.submitPlcOperation", "silent")
    const again = await world.desk.run(args, {
      ...env,
      NACRE_MAILED_CODE: await codeAt(world.one, agent)
    })
    assert.strictEqual(again.code, 1)
    const last = await world.desk.run(args, env)
    assert.strictEqual(last.code, 0, last.stderr)
    await live()
  })

  it("a move stopped by hand says so, leaves only its notes, and resumes", async () => {
    const { did, agent, args, env, live } = await faulty("stop")
    const TMPDIR = mkdtempSync(world.desk.path("tmp-"))
    old.fail(getBlob, busy(429, { "retry-after": "30" }))
    const stopped = await stopWhen(
      world.desk,
      args,
      { ...env, TMPDIR },
      /limiting requests\. Retrying in 30 s/
    )
    assert.strictEqual(stopped.code, 130)
    assert.include(stopped.stderr, "Stopped. Run the same command again to continue.")
    assert.deepStrictEqual(readdirSync(TMPDIR), [])
    const notes = readFileSync(
      world.desk.path(`nacre-move-${did.replaceAll(":", "-")}.json`),
      "utf8"
    )
    assert.deepInclude(JSON.parse(notes), { did, from: old.url })
    const code = await codeAt(world.one, agent)
    const moved = await world.desk.run(args, { ...env, NACRE_MAILED_CODE: code })
    assert.strictEqual(moved.code, 0, moved.stderr)
    await live()
  })

  it("an account that the old server has taken down can move", async () => {
    const { did, agent, args, env, live } = await faulty("down")
    const { args: plain } = migration(world, { did, password: "" }, old.url)
    const code = await codeAt(world.one, agent)
    const answer = await fetch(`${world.one.url}/xrpc/com.atproto.admin.updateSubjectStatus`, {
      method: "POST",
      headers: { ...adminOf(world.one).headers, "content-type": "application/json" },
      body: JSON.stringify({
        subject: { $type: "com.atproto.admin.defs#repoRef", did },
        takedown: { applied: true }
      })
    })
    assert.strictEqual(answer.status, 200)
    const planned = await world.desk.run([...plain, "--dry-run"], env)
    assert.strictEqual(planned.code, 0, planned.stderr)
    const moved = await world.desk.run(args, { ...env, NACRE_MAILED_CODE: code })
    assert.strictEqual(moved.code, 0, moved.stderr)
    await live()
  })

  it("a move finishes without the old server once the DID points to the new one", async () => {
    const { did, agent, env, live } = await faulty("gone")
    const { args } = migration(world, { did, password: "" }, old.url)
    const code = await codeAt(world.one, agent)
    const halted = await world.desk.run([...args, "--until=identity"], {
      ...env,
      NACRE_MAILED_CODE: code
    })
    assert.strictEqual(halted.code, 0, halted.stderr)
    assert.isFalse(halted.json.activated)
    old.fail("com.atproto.server.createSession", busy(403))
    const moved = await world.desk.run(args, env)
    assert.strictEqual(moved.code, 0, moved.stderr)
    assert.include(moved.stderr, "the move continues without")
    await live()
  })
})
