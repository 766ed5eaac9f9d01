import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { request } from "node:http"
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { startWorker, type TestServer } from "../support/server/server.ts"
import { type Person, signUp } from "../support/server/serverPeople.ts"

const collection = "com.example.note"

/** What a plain client receives of a response. */
interface Transfer {
  readonly status: number
  readonly announced: number
  readonly received: number
  readonly isWhole: boolean
}

const fetchPlainly = (server: TestServer, path: string): Promise<Transfer> =>
  new Promise((resolve, reject) => {
    const asked = request(`${server.url}/xrpc/${path}`, { agent: false }, (answer) => {
      let received = 0
      answer.on("data", (chunk: Buffer) => (received += chunk.length))
      // A response that breaks off raises an error here, then closes.
      answer.on("error", () => {})
      answer.once("close", () =>
        resolve({
          status: answer.statusCode ?? 0,
          announced: Number(answer.headers["content-length"]),
          received,
          isWhole: answer.complete
        })
      )
    })
    asked.once("error", reject)
    asked.end()
  })

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

const accountFilesIn = (dataDir: string) =>
  filesIn(dataDir).filter((name) => /-Account\W.*\.sqlite$/.test(name))

/**
 * Destroys the pages of the account's database that hold this text: the row's key stays readable,
 * its value doesn't.
 */
const destroyPagesOf = (dataDir: string, text: string): void => {
  for (const file of accountFilesIn(dataDir)) {
    const database = new DatabaseSync(file)
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)")
    const pageSize = Number(database.prepare("PRAGMA page_size").get()?.["page_size"])
    database.close()
    const bytes = readFileSync(file)
    // Unused pages may also hold it: those of the event that announced the record.
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at)) {
      const page = Math.floor(at / pageSize) * pageSize
      bytes.fill(0xff, page, page + pageSize)
    }
    writeFileSync(file, bytes)
  }
}

describe("a response that breaks off on the Worker", () => {
  let server: TestServer
  let person: Person
  let last: string
  beforeAll(async () => {
    server = await startWorker()
    person = await signUp(server, "torn")
    const { agent, did } = person
    for (let n = 0; n < 40; n++) {
      // The middle is in a page of its own, far from the row's key.
      const text = `${"a".repeat(20_000)}middle of ${n}.${"z".repeat(10_000)}`
      const { data } = await agent.com.atproto.repo.createRecord({
        repo: did,
        collection,
        rkey: `k${String(n).padStart(2, "0")}`,
        record: { $type: collection, text }
      })
      last = data.cid
    }
  })
  afterAll(() => server?.stop())

  it("an interrupted response never looks complete: a repo, blocks or a blob", async () => {
    const { agent, did } = person
    const blob = new Uint8Array(3_000_000).fill(7)
    const uploaded = await agent.uploadBlob(blob, { encoding: "application/octet-stream" })
    const link = String(uploaded.data.blob.ref)
    await agent.com.atproto.repo.createRecord({
      repo: did,
      collection: "com.example.file",
      record: { $type: "com.example.file", file: uploaded.data.blob }
    })
    const answers = [
      `com.atproto.sync.getRepo?did=${did}`,
      `com.atproto.sync.getCheckout?did=${did}`,
      `com.atproto.sync.getRepo?did=${did}&since=2222222222222`,
      `com.atproto.sync.getBlocks?did=${did}&cids=${last}`,
      `com.atproto.sync.getBlob?did=${did}&cid=${link}`
    ]
    for (const path of answers) {
      const { status, announced, received, isWhole } = await fetchPlainly(server, path)
      assert.deepStrictEqual([status, isWhole, announced], [200, true, received], path)
    }
    await server.restart((dataDir) => {
      destroyPagesOf(dataDir, "middle of 39.")
      // In the store, and in the edge's copy.
      const kept = filesIn(dataDir).filter((file) => statSync(file).size === blob.length)
      assert.isNotEmpty(kept)
      for (const file of kept) truncateSync(file, 1_000_000)
    })
    for (const path of answers) {
      const transfer = await fetchPlainly(server, path)
      const isSeen = transfer.status >= 500 || !transfer.isWhole
      assert.isTrue(isSeen, `${path}: ${JSON.stringify(transfer)}`)
    }
  })
})
