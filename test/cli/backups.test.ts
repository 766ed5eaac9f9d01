import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { existsSync, readFileSync } from "node:fs"
import { carBytes } from "../../src/core/repo/car.ts"
import { encode } from "../../src/core/repo/cbor.ts"
import { cidForCbor } from "../../src/core/repo/cid.ts"
import { signedCommit } from "../../src/core/repo/commit.ts"
import { nextTid } from "../../src/core/repo/tid.ts"
import { startS3 } from "../backups/s3Server.ts"
import type { TestServer } from "../support/server/server.ts"
import { startMemory } from "../support/server/serverMemory.ts"
import { signUp } from "../support/server/serverPeople.ts"
import { type Desk, makeDesk } from "./command.ts"

const masterKey = Buffer.alloc(32, 5).toString("base64url")

let s3: Awaited<ReturnType<typeof startS3>>
let server: TestServer
let desk: Desk

beforeAll(async () => {
  s3 = await startS3()
  server = await startMemory({
    MASTER_KEY: masterKey,
    BACKUP_S3_URL: s3.url,
    BACKUP_S3_KEY_ID: "key",
    BACKUP_S3_SECRET: "secret"
  })
  desk = makeDesk(server)
})
afterAll(async () => {
  desk?.remove()
  await server?.stop()
  await s3?.stop()
})

/** A server whose requests for a backup are answered one after another. */
const startPlayed = async (
  answers: ReadonlyArray<object>,
  statuses: ReadonlyArray<number> = []
) => {
  const asked: Array<string> = []
  const played = createServer((request, response) => {
    asked.push(request.url ?? "")
    response.statusCode = statuses[asked.length - 1] ?? 200
    response.setHeader("content-type", "application/json")
    response.end(JSON.stringify(answers[asked.length - 1]))
  })
  await new Promise<void>((resolve) => played.listen(0, "127.0.0.1", resolve))
  const { port } = played.address() as AddressInfo
  return {
    asked,
    env: { NACRE_SERVER: `http://127.0.0.1:${port}`, NACRE_ADMIN_PASSWORD: "an administrator" },
    stop: () => new Promise<void>((resolve) => void played.close(() => resolve()))
  }
}

describe("a server whose database is new", () => {
  it("nacre backup list names the backups in its store, and how to bring them back", async () => {
    const stored = ["20260101T030000Z", "20260102T030000Z"]
    const played = await startPlayed([{ store: "bucket", runs: [], stored }])
    const alone = makeDesk()
    const { code, stdout } = await alone.run(["backup", "list"], played.env)
    await played.stop()
    alone.remove()
    assert.strictEqual(code, 0)
    for (const run of stored) assert.include(stdout, run)
    assert.include(stdout, "restore --all")
    assert.notInclude(stdout, "backup now")
  })

  it("nacre restore waits longer and longer for a store that is down, and says why", async () => {
    const down = { error: "Unavailable", message: "The backup store failed: SlowDown" }
    const done = {
      run: "20260101T030000Z",
      madeAt: "2026-01-01T03:00:00Z",
      accounts: 0,
      restored: [],
      faults: []
    }
    const played = await startPlayed([down, down, done], [503, 503, 200])
    const alone = makeDesk()
    const { code, stderr } = await alone.run(["restore", "--all"], played.env)
    await played.stop()
    alone.remove()
    assert.strictEqual(code, 0, stderr)
    assert.deepStrictEqual(alone.pauses, [500, 1000])
    assert.include(stderr, "answered 503: The backup store failed: SlowDown. Retrying in 1 s")
  })
})

describe("a backup that somebody else works on", () => {
  it("nacre backup now waits for another process, says until when, pauses after a failed step, and backs up what has changed since", async () => {
    const run = {
      run: "20260101T030000Z",
      startedAt: 0,
      phase: "accounts",
      attempts: 0,
      accounts: 2,
      changed: 1,
      failed: 0,
      blobs: 3,
      bytes: 9,
      sampled: 0,
      faulty: 0,
      faults: []
    }
    const next = "20260101T030500Z"
    const heldUntil = Date.UTC(2026, 0, 1, 3, 2, 5)
    const played = await startPlayed([
      { store: "bucket", open: run, runs: [] },
      { run, heldUntil },
      { run, heldUntil },
      { run: { ...run, attempts: 1 } },
      { run: { ...run, phase: "done", outcome: "good", finishedAt: 1 } },
      { run: { ...run, run: next, phase: "done", outcome: "good", finishedAt: 2 } }
    ])
    const alone = makeDesk()
    const { code, stdout, stderr } = await alone.run(["backup", "now"], played.env)
    await played.stop()
    alone.remove()
    assert.strictEqual(code, 0, stderr)
    assert.include(stdout, next)
    assert.deepStrictEqual(alone.pauses, [5000, 5000, 2000])
    assert.lengthOf(stderr.match(/takes over at 03:02:05 UTC/g) ?? [], 1)
    assert.include(stderr, "A step failed. Retrying in 2 s")
    assert.deepStrictEqual(played.asked, [
      ...Array(2).fill("/admin/backups"),
      ...Array(3).fill(`/admin/backups?run=${run.run}`),
      "/admin/backups"
    ])
  })
})

describe("the backups of a server in an S3 store", () => {
  it("nacre backup now stores every account and list shows the backup", async () => {
    const made = await desk.run(["backup", "now", "--json"])
    assert.strictEqual(made.code, 0, made.stderr)
    assert.deepInclude(made.json, { outcome: "good", accounts: 1, changed: 1 })
    const { stdout } = await desk.run(["backup", "list"])
    assert.match(stdout, new RegExp(`${made.json.run} .*good +1 +1`))
  })

  it("a drill restores the backup into memory over the server's routes and finds it whole", async () => {
    const drilled = await desk.run(["backup", "drill", "--json"], { MASTER_KEY: masterKey })
    assert.strictEqual(drilled.code, 0, drilled.stderr)
    assert.deepInclude(drilled.json, { accounts: 1, faults: [] })
    const unset = await desk.run(["backup", "drill"])
    assert.strictEqual(unset.code, 1)
    assert.include(unset.stderr, "MASTER_KEY")
  })

  it("nacre backup drill --report leaves its result with the server, and how a broken one ended", async () => {
    const kept = async () => (await desk.run(["backup", "list", "--json"])).json.drill
    // The drill before wasn't reported.
    assert.isUndefined(await kept())
    const drilled = ["backup", "drill", "--report", "--json"]
    const other = Buffer.alloc(32, 6).toString("base64url")
    const foreign = await desk.run(drilled, { MASTER_KEY: other })
    assert.strictEqual(foreign.code, 1)
    assert.include(foreign.stderr, "written under another MASTER_KEY")
    assert.deepInclude(await kept(), { outcome: "failed" })
    const good = await desk.run(drilled, { MASTER_KEY: masterKey })
    assert.strictEqual(good.code, 0, good.stderr)
    assert.deepInclude(good.json, { accounts: 1, faults: [] })
    assert.deepInclude(await kept(), { outcome: "good" })
    assert.match((await desk.run(["backup", "list"])).stdout, /Last drill: good, \d{4}-/)
  })

  it("nacre backup verify fails and names a damaged object", async () => {
    const key = [...s3.objects.keys()].find((one) => one.endsWith("repo.car"))!
    const car = s3.objects.get(key)!
    s3.objects.set(key, Buffer.concat([car.subarray(0, -1), Buffer.of(car.at(-1)! ^ 1)]))
    const { code, stderr } = await desk.run(["backup", "verify"])
    s3.objects.set(key, car)
    assert.strictEqual(code, 1)
    // Everything else was read back too.
    assert.notInclude(stderr, "private.sealed")
    assert.include(stderr, key.replace("a/prefix/", ""))
  })

  it("nacre restore brings back a deleted account by its DID", async () => {
    const { did, handle } = await signUp(server, "carla")
    assert.strictEqual((await desk.run(["backup", "now"])).code, 0)
    const gone = await desk.run(["account", "delete", handle, "--now", "--yes"])
    assert.strictEqual(gone.code, 0, gone.stderr)
    const { code, json, stderr } = await desk.run(["restore", did, "--json"])
    assert.strictEqual(code, 0, stderr)
    assert.deepInclude(json, { did, kind: "created" })
    const { stdout } = await desk.run(["restore", handle, "--list"])
    assert.match(stdout, /^\d{8}T\d{6}Z\n$/)
  })

  it("nacre restore --folder saves a backup in the form of an export", async () => {
    const { handle, did } = server.account
    const { code, json, stderr } = await desk.run(["restore", handle, "--folder", "kept", "--json"])
    assert.strictEqual(code, 0, stderr)
    assert.deepInclude(json, { did, handle, folder: "kept" })
    const { type, rev } = JSON.parse(readFileSync(desk.path("kept/export.json"), "utf8"))
    assert.strictEqual(type, "nacre-export")
    assert.isString(rev)
  })

  it("nacre restore --folder refuses a whole repo that isn't the one in the backup", async () => {
    const { handle, did } = server.account
    const node = encode({ e: [], l: null })
    const data = cidForCbor(node)
    const rev = nextTid(undefined, 1_700_000_000_000_000, 1)
    const commit = signedCommit({ did, data, rev, sig: new Uint8Array(64) })
    const isCar = (one: string) => one.includes(did) && one.endsWith("repo.car")
    const key = [...s3.objects.keys()].toSorted().findLast(isCar)!
    const car = s3.objects.get(key)!
    s3.objects.set(key, Buffer.from(carBytes(commit.cid, [commit, { cid: data, bytes: node }])))
    const { code, stderr } = await desk.run(["restore", handle, "--folder", "forged"])
    s3.objects.set(key, car)
    assert.strictEqual(code, 1)
    assert.match(stderr, /The backup is damaged: the repo: it isn't the one that was backed up/)
    assert.isFalse(existsSync(desk.path("forged/repo.car")))
  })

  it("nacre restore replaces what an account has only after a confirmation", async () => {
    const { handle } = server.account
    const unsure = await desk.run(["restore", handle])
    assert.strictEqual(unsure.code, 1)
    assert.include(unsure.stderr, "--yes")
    const sure = await desk.run(["restore", handle, "--yes", "--json"])
    assert.strictEqual(sure.code, 0, sure.stderr)
    assert.deepInclude(sure.json, { kind: "replaced", faults: [] })
  })

  it("nacre restore refuses what it would ignore, and names an unknown backup", async () => {
    const { handle } = server.account
    for (const more of [["--folder", "all"], ["--list"]]) {
      const { code, stderr } = await desk.run(["restore", "--all", ...more])
      assert.strictEqual(code, 1, stderr)
      assert.include(stderr, "are for one account")
    }
    for (const more of [["--yes"], ["--folder", "unknown"]]) {
      const asked = ["restore", handle, "--backup", "20200101T000000Z", ...more]
      const { code, stderr } = await desk.run(asked)
      assert.strictEqual(code, 1)
      assert.include(stderr, "There is no backup 20200101T000000Z of ")
    }
  })

  it("nacre restore --at asks first, and names a platform without earlier states", async () => {
    const { handle } = server.account
    const at = new Date().toISOString()
    const unsure = await desk.run(["restore", handle, "--at", at])
    assert.strictEqual(unsure.code, 1)
    assert.include(unsure.stderr, "--yes")
    const { code, stderr } = await desk.run(["restore", handle, "--at", at, "--yes"])
    assert.strictEqual(code, 1)
    assert.match(stderr, /can't go back to a point in time.*Restore from a backup instead/s)
    const vague = await desk.run(["restore", handle, "--at", "yesterday", "--yes"])
    assert.include(vague.stderr, "2026-01-01T03:00:00Z")
  })

  it("nacre restore --all leaves the accounts that are here alone", async () => {
    const { code, json, stderr } = await desk.run(["restore", "--all", "--json"])
    assert.strictEqual(code, 0, stderr)
    assert.deepStrictEqual(
      json.restored.map((one: { readonly kind: string }) => one.kind),
      ["exists", "exists"]
    )
  })
})
