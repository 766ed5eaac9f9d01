import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
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

const start = async (): Promise<RunningBox> =>
  (running = await startBox(join(folder, "data"), { backupFolder: join(folder, "backups") }))

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
})
