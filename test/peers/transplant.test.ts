import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { startS3 } from "../backups/s3Server.ts"
import { type Desk, makeDesk } from "../cli/command.ts"
import { env, type RunningBox, signUp, startBox } from "../host/box/boxWorld.ts"
import { startWorker, type TestServer } from "../support/server/server.ts"

describe("nacre transplant between a machine of one's own and workerd", () => {
  let base: string
  let desk: Desk
  let s3: Awaited<ReturnType<typeof startS3>>
  let worker: TestServer
  let running: Array<RunningBox>

  beforeAll(async () => {
    base = mkdtempSync(join(tmpdir(), "nacre-transplant-"))
    desk = makeDesk()
    running = []
    s3 = await startS3()
    const store = { BACKUP_S3_URL: s3.url, BACKUP_S3_KEY_ID: "key", BACKUP_S3_SECRET: "secret" }
    const { PUBLIC_URL: _, ...secrets } = env
    worker = await startWorker({ ...secrets, ...store })
    // One server at several addresses.
    Object.assign(env, store, { PUBLIC_URL: worker.publicUrl })
  })
  afterAll(async () => {
    await Promise.all(running.map((box) => box.stop()))
    await worker?.stop()
    await s3?.stop()
    desk?.remove()
    rmSync(base, { recursive: true, force: true })
  })

  const start = async (name: string) => {
    const box = await startBox(join(base, name))
    running.push(box)
    return { box, url: await box.listen() }
  }

  const transplant = async (from: string, to: string) => {
    const { code, json, stderr } = await desk.run(
      ["transplant", "--from", from, "--to", to, "--json"],
      { NACRE_ADMIN_PASSWORD: env.ADMIN_PASSWORD }
    )
    assert.strictEqual(code, 0, stderr)
    return json
  }

  it("the command moves a server from a folder to workerd and back into a folder", async () => {
    const old = await start("old")
    const alice = await signUp(old.box, "alice")
    const record = {
      $type: "app.bsky.feed.post",
      text: "carried over",
      createdAt: "2026-01-01T00:00:00.000Z"
    }
    const { cid } = await old.box.call("com.atproto.repo.createRecord", {
      auth: alice.auth,
      input: { repo: alice.did, collection: "app.bsky.feed.post", rkey: "3kaaaaaaaaa22", record }
    })
    assert.deepInclude(await transplant(old.url, worker.url), { accounts: 1, different: [] })
    const next = await start("next")
    // The worker's first account comes along.
    assert.deepInclude(await transplant(worker.url, next.url), { accounts: 2, different: [] })
    const found = await next.box.call(
      `com.atproto.repo.getRecord?repo=${alice.did}&collection=app.bsky.feed.post&rkey=3kaaaaaaaaa22`
    )
    assert.strictEqual(found.cid, cid)
    await next.box.call("com.atproto.server.createSession", {
      input: { identifier: "alice.test", password: "a long password" }
    })
  })
})
