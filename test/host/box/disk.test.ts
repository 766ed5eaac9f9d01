import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { open } from "../../../src/layers/host/sql/SqlStorageNode.ts"
import { origin, type RunningBox, signUp, startBox } from "./boxWorld.ts"

// Node warns about its SQLite, unless the layer loads it.
const sample = open(":memory:")
const prototype: DatabaseSync = Object.getPrototypeOf(sample)
sample.close()
const { exec } = prototype

let folder: string
let running: RunningBox | undefined
/** The databases that the server has opened, with their pages limited if that is wanted. */
let opened: Array<DatabaseSync>
let mostPages: number | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nacre-disk-"))
  opened = []
  mostPages = undefined
  prototype.exec = function (query: string) {
    exec.call(this, query)
    if (!query.startsWith("PRAGMA locking_mode")) return
    opened.push(this)
    if (mostPages !== undefined) exec.call(this, `PRAGMA max_page_count = ${mostPages}`)
  }
})
afterEach(async () => {
  prototype.exec = exec
  await running?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const collection = "com.example.note"

const post = async (box: RunningBox, { did, auth }: { did: string; auth: string }) => {
  const response = await box.handler(
    new Request(`${origin}/xrpc/com.atproto.repo.createRecord`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: auth },
      body: JSON.stringify({
        repo: did,
        collection,
        record: { $type: collection, text: "x".repeat(20_000) }
      })
    })
  )
  return { status: response.status, body: JSON.parse(await response.text()) }
}

const recordsOf = async (box: RunningBox, did: string): Promise<number> => {
  const { records } = await box.call(
    `com.atproto.repo.listRecords?repo=${did}&collection=${collection}&limit=100`
  )
  return records.length
}

describe("a disk that takes no more", () => {
  it("a write to a full disk gets a clear error, and everything acknowledged is there after more room", async () => {
    mostPages = 200
    running = await startBox(folder)
    const alice = await signUp(running, "alice")
    let acknowledged = 0
    let answer = await post(running, alice)
    for (; answer.status === 200; answer = await post(running, alice)) acknowledged += 1
    assert.isAbove(acknowledged, 0)
    assert.strictEqual(answer.status, 503)
    assert.deepInclude(answer.body, {
      error: "ServiceUnavailable",
      message: "This server can't store anything more: its disk is full"
    })
    assert.strictEqual(await recordsOf(running, alice.did), acknowledged)
    await running.stop()

    mostPages = undefined
    running = await startBox(folder)
    assert.strictEqual(await recordsOf(running, alice.did), acknowledged)
    assert.strictEqual((await post(running, alice)).status, 200)
    assert.strictEqual(await recordsOf(running, alice.did), acknowledged + 1)
  })

  it("a write to a disk that can only be read gets a clear error, and reads continue", async () => {
    running = await startBox(folder)
    const alice = await signUp(running, "alice")
    assert.strictEqual((await post(running, alice)).status, 200)
    for (const database of opened) exec.call(database, "PRAGMA query_only = 1")
    const answer = await post(running, alice)
    assert.strictEqual(answer.status, 503)
    assert.include(answer.body.message, "its disk can only be read")
    assert.strictEqual(await recordsOf(running, alice.did), 1)
    for (const database of opened) exec.call(database, "PRAGMA query_only = 0")
    assert.strictEqual((await post(running, alice)).status, 200)
  })
})
