import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { startS3 } from "../../backups/s3Server.ts"
import { origin, type RunningBox, signUp, startBox } from "./boxWorld.ts"

let s3: Awaited<ReturnType<typeof startS3>>
let folder: string
let box: RunningBox | undefined

beforeEach(async () => {
  s3 = await startS3()
  folder = mkdtempSync(join(tmpdir(), "nacre-s3-"))
})
afterEach(async () => {
  await box?.stop()
  await s3.stop()
  rmSync(folder, { recursive: true, force: true })
})

const start = async (isInBucket = true, options: Parameters<typeof startBox>[1] = {}) => {
  await box?.stop()
  const variables = { BLOB_S3_URL: s3.url, BLOB_S3_KEY_ID: "key", BLOB_S3_SECRET: "secret" }
  box = await startBox(folder, { ...options, variables: isInBucket ? variables : {} })
  return box
}

const collection = "com.example.note"

/** A reference to a blob, in JSON. */
interface JsonBlobRef {
  readonly ref: { readonly $link: string }
}

const upload = async (server: RunningBox, auth: string, bytes: Uint8Array<ArrayBuffer>) => {
  const response = await server.handler(
    new Request(`${origin}/xrpc/com.atproto.repo.uploadBlob`, {
      method: "POST",
      headers: { authorization: auth, "content-type": "application/octet-stream" },
      body: bytes
    })
  )
  // SAFETY: the two forms of the method's responses.
  const body = (await response.json()) as { readonly blob: JsonBlobRef; readonly error?: string }
  return { status: response.status, body }
}

const download = async (server: RunningBox, did: string, cid: string, range?: string) => {
  const response = await server.handler(
    new Request(`${origin}/xrpc/com.atproto.sync.getBlob?did=${did}&cid=${cid}`, {
      headers: range === undefined ? {} : { range }
    })
  )
  return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) }
}

const bytesOf = (size: number, seed: number) =>
  Uint8Array.from({ length: size }, (_, at) => (at * 31 + seed) & 255)

describe("a server on one machine with its blobs in a bucket", () => {
  it("a server with its blobs in a bucket serves what it stores whole and in ranges, deletes what nobody refers to, and keeps older files", async () => {
    let now = Date.now()
    const clock = { now: () => now }
    let server = await start(false, clock)
    const alice = await signUp(server, "alice")
    const write = (blob: unknown) =>
      server.call("com.atproto.repo.createRecord", {
        auth: alice.auth,
        input: { repo: alice.did, collection, record: { $type: collection, blob } }
      })
    const older = bytesOf(1000, 1)
    const inFolder = (await upload(server, alice.auth, older)).body.blob
    await write(inFolder)

    server = await start(true, clock)
    const newer = bytesOf(2000, 2)
    const inBucket = (await upload(server, alice.auth, newer)).body.blob
    await write(inBucket)
    const loose = (await upload(server, alice.auth, bytesOf(10, 3))).body.blob
    assert.strictEqual(s3.objects.size, 2)
    assert.deepStrictEqual((await download(server, alice.did, inFolder.ref.$link)).bytes, older)
    assert.deepStrictEqual((await download(server, alice.did, inBucket.ref.$link)).bytes, newer)
    assert.deepStrictEqual(
      await download(server, alice.did, inBucket.ref.$link, "bytes=500-1499"),
      { status: 206, bytes: newer.slice(500, 1500) }
    )

    // The next start rings what is due: the blob that no record refers to goes.
    now += 48 * 3_600_000
    server = await start(true, clock)
    while (s3.objects.size > 1) await new Promise((resume) => setTimeout(resume, 10))
    assert.strictEqual((await download(server, alice.did, loose.ref.$link)).status, 400)
    assert.deepStrictEqual((await download(server, alice.did, inBucket.ref.$link)).bytes, newer)
  })

  it("the server answers with an error while the bucket is down, keeps nothing half, and works when it is back", async () => {
    const server = await start()
    const alice = await signUp(server, "alice")
    const stored = (await upload(server, alice.auth, bytesOf(1000, 1))).body.blob
    const record = { $type: collection, blob: stored }
    const input = { repo: alice.did, collection, record }
    await server.call("com.atproto.repo.createRecord", { auth: alice.auth, input })
    s3.state.status = 503
    // At the same time, since each is tried again several times.
    const [failed, unread, ready] = await Promise.all([
      upload(server, alice.auth, bytesOf(1000, 2)),
      download(server, alice.did, stored.ref.$link),
      server.handler(new Request(`${origin}/ready`))
    ])
    assert.strictEqual(failed.status, 503)
    assert.strictEqual(failed.body.error, "ServiceUnavailable")
    assert.strictEqual(unread.status, 503)
    assert.include(await ready.text(), '"r2":"error"')
    // Records that refer to stored blobs can still be written.
    await server.call("com.atproto.repo.createRecord", { auth: alice.auth, input })
    s3.state.status = 200
    assert.strictEqual((await upload(server, alice.auth, bytesOf(1000, 2))).status, 200)
    assert.strictEqual((await download(server, alice.did, stored.ref.$link)).status, 200)
    assert.strictEqual(s3.objects.size, 2)
  })
})
