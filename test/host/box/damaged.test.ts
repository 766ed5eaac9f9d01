import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { afterEach, assert, beforeEach, describe, it, onTestFinished, vi } from "@effect/vitest"
import { open } from "../../../src/layers/host/sql/SqlStorageNode.ts"
import { fileOf } from "../../../src/layers/objects/AccountsFiles.ts"
import { env, origin, type RunningBox, signUp, startBox } from "./boxWorld.ts"

let folder: string
let running: RunningBox | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nacre-damaged-"))
})
afterEach(async () => {
  await running?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const start = async (variables: Readonly<Record<string, string>> = {}): Promise<RunningBox> =>
  (running = await startBox(join(folder, "data"), {
    backupFolder: join(folder, "backups"),
    variables
  }))

const admin = async (box: RunningBox, path: string, method = "GET") => {
  const authorization = `Basic ${btoa(`admin:${env.ADMIN_PASSWORD}`)}`
  const request = new Request(`${origin}${path}`, { method, headers: { authorization } })
  const response = await box.handler(request)
  return { status: response.status, body: JSON.parse(await response.text()) }
}

/** Backs the server up until the run ends. */
const backUp = async (box: RunningBox) => {
  let query = ""
  for (let calls = 0; calls < 20; calls++) {
    const { status, body } = await admin(box, `/admin/backups${query}`, "POST")
    assert.strictEqual(status, 200, JSON.stringify(body))
    if (body.run.outcome !== undefined) return body.run
    query = `?run=${body.run.run}`
  }
  return assert.fail("the run doesn't end")
}

const damages = {
  "is no database": () => Buffer.from("not a database".repeat(1000)),
  "has lost its pages": (bytes: Buffer) => bytes.fill(0xff, 4096)
}

describe("a damaged account on one machine", () => {
  for (const [name, damage] of Object.entries(damages)) {
    it(`an account whose file ${name} doesn't keep the backup of the others from its end`, async () => {
      const first = await start()
      const alice = await signUp(first, "alice")
      const bob = await signUp(first, "bob")
      await first.stop()
      const file = fileOf(join(folder, "data/accounts"), alice.did)
      writeFileSync(file, damage(readFileSync(file)))
      const box = await start()
      const run = await backUp(box)
      assert.deepInclude(run, { outcome: "incomplete", accounts: 2, failed: 1, changed: 1 })
      assert.strictEqual(run.faults[0].did, alice.did)
      const { did } = await box.call("com.atproto.server.getSession", { auth: bob.auth })
      assert.strictEqual(did, bob.did)
      assert.strictEqual((await admin(box, `/admin/check?account=${alice.did}`)).status, 503)
      assert.deepStrictEqual(
        (await admin(box, `/admin/check?account=${bob.did}`)).body.problems,
        []
      )
    })
  }

  it("an account whose row can't be read leaves no file open, and is restored once its file is gone", async () => {
    const first = await start()
    const alice = await signUp(first, "alice")
    assert.deepInclude(await backUp(first), { outcome: "good" })
    await first.stop()
    const file = fileOf(join(folder, "data/accounts"), alice.did)
    const whole = readFileSync(file)
    const database = open(file)
    const select = "SELECT rootpage FROM sqlite_master WHERE name = 'account'"
    const page = Number(database.prepare(select).get()!["rootpage"])
    database.close()
    const size = whole.readUInt16BE(16)
    writeFileSync(file, Buffer.from(whole).fill(0xff, (page - 1) * size, page * size))
    const lines: Array<string> = []
    const spy = vi.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)))
    onTestFinished(() => spy.mockRestore())
    const box = await start({ LOG_LEVEL: "error" })
    const openFiles = () =>
      readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).startsWith(file)
        } catch {
          return false
        }
      }).length
    for (let calls = 0; calls < 3; calls++) {
      assert.strictEqual((await admin(box, `/admin/check?account=${alice.did}`)).status, 503)
    }
    assert.strictEqual(openFiles(), 0)
    const said = lines.find((line) => line.includes("account object unavailable")) ?? ""
    // The log hides parts of this folder that look like codes.
    assert.include(said, basename(file))
    assert.include(said, "database disk image is malformed")
    rmSync(file)
    const restored = await admin(
      box,
      `/admin/backups/restore?account=${alice.did}&replace=true`,
      "POST"
    )
    assert.deepInclude(restored.body, { did: alice.did, kind: "replaced", faults: [] })
    const { handle } = await box.call(`com.atproto.repo.describeRepo?repo=${alice.did}`)
    assert.strictEqual(handle, "alice.test")
    const input = { identifier: "alice.test", password: "a long password" }
    const session = await box.call("com.atproto.server.createSession", { input })
    assert.strictEqual(session.did, alice.did)
    assert.deepStrictEqual(
      (await admin(box, `/admin/check?account=${alice.did}`)).body.problems,
      []
    )
  })
})
