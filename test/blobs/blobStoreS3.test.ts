import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as BlobStoreFiles from "../../src/layers/blobs/BlobStoreFiles.ts"
import * as BlobStoreS3 from "../../src/layers/blobs/BlobStoreS3.ts"
import { PartBudget } from "../../src/layers/blobs/partBudget.ts"
import * as s3Bucket from "../../src/layers/blobs/s3Bucket.ts"
import { startS3 } from "../backups/s3Server.ts"
import { blobStoreContract, bytesOf } from "./blobStore.contract.ts"

const run = Effect.runPromise
const mebi = 1024 * 1024

let s3: Awaited<ReturnType<typeof startS3>>
beforeAll(async () => {
  s3 = await startS3()
})
afterAll(() => s3.stop())
afterEach(() => {
  s3.faults.length = 0
})

const bucket = (patience?: number) =>
  s3Bucket.make(
    { url: s3.url, keyId: "key", secret: Redacted.make("a secret"), region: "auto" },
    patience
  )

/** Short for a store that never answers, and long for one that does. */
const shortPatience = 300

blobStoreContract("S3", (body) => body(BlobStoreS3.make(bucket())), {
  sizes: [1, 262_144, 5 * mebi, 10 * mebi + 1]
})

const bodyOf = (size: number) => new Blob([bytesOf(size).slice()]).stream()
const put = (store: ReturnType<typeof BlobStoreS3.make>, key: string, size: number) =>
  store.put(key, bodyOf(size), { length: size, limit: size })

describe("blobs in a bucket", () => {
  it("all objects are below the address's prefix, and no upload is left unfinished", async () => {
    await run(put(BlobStoreS3.make(bucket()), "did:web:a.test/one", 6 * mebi))
    assert.isAbove(s3.objects.size, 0)
    for (const key of s3.objects.keys()) assert.isTrue(key.startsWith("a/prefix/"), key)
    assert.strictEqual(s3.uploads.size, 0)
  })

  it("a key that is longer than the store's keys works like any other", async () => {
    const store = BlobStoreS3.make(bucket())
    const key = `did:web:${"a%3A".repeat(500)}.test/one`
    await run(put(store, key, 10))
    assert.strictEqual(await run(store.head(key)), 10)
    assert.isUndefined(await run(store.head(`${key}2`)))
    for (const stored of s3.objects.keys()) assert.isBelow(stored.length, 1024)
    await run(store.delete([key]))
    assert.isUndefined(await run(store.head(key)))
  })

  for (const fault of [503, "reset"] as const) {
    it(`a request that fails once is sent again (${fault})`, async () => {
      const store = BlobStoreS3.make(bucket())
      const size = 6 * mebi
      // The upload's start, its first part, its end, and the download: each fails once.
      s3.faults.push(fault, "ok", fault, "ok", "ok", fault, "ok")
      await run(put(store, "retried", size))
      s3.faults.push(fault)
      const found = await run(store.get("retried"))
      assert.strictEqual((await new Response(found!.body).arrayBuffer()).byteLength, size)
    })
  }

  it("a store that stays down answers BlobStoreUnavailable, and nothing is left of the blob", async () => {
    const store = BlobStoreS3.make(bucket())
    for (const size of [10, 6 * mebi]) {
      s3.faults.push(503, 503, 503)
      const failed = await run(Effect.flip(put(store, "down", size)))
      assert.strictEqual(failed._tag, "BlobStoreUnavailable")
      assert.notInclude(JSON.stringify(failed) + String(failed), "a secret")
      assert.isUndefined(await run(store.head("down")))
    }
    assert.strictEqual(s3.uploads.size, 0)
  })

  it("an object that the store kept although it answered with an error is deleted", async () => {
    s3.faults.push("kept", "kept", "kept")
    const store = BlobStoreS3.make(bucket())
    const failed = await run(Effect.flip(put(store, "kept", 10)))
    assert.strictEqual(failed._tag, "BlobStoreUnavailable")
    assert.isFalse([...s3.objects.keys()].some((key) => key.endsWith("kept")))
  })

  it("a store that never answers is given up, for uploads, downloads and deletions", async () => {
    const store = BlobStoreS3.make(bucket(shortPatience))
    const steps: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }>> = [
      store.get("slow"),
      store.head("slow"),
      store.delete(["slow"]),
      put(store, "slow", 10)
    ]
    // They wait at the same time; the deletion that the upload sends then gets an answer.
    s3.faults.push(...steps.map(() => "silence" as const))
    const failures = await Promise.all(steps.map((step) => run(Effect.flip(step))))
    for (const failed of failures) assert.strictEqual(failed._tag, "BlobStoreUnavailable")
  })

  it("a download that breaks off fails, and never looks complete", async () => {
    const store = BlobStoreS3.make(bucket())
    await run(put(store, "broken", 300_000))
    for (const range of [undefined, { offset: 5, length: 200_000 }]) {
      s3.faults.push("half")
      const found = await run(store.get("broken", range))
      const read = await new Response(found!.body).arrayBuffer().then(
        () => "complete",
        () => "failed"
      )
      assert.strictEqual(read, "failed")
    }
  })

  it("an upload beyond the memory for uploads fails with BlobStoreBusy, and succeeds later", async () => {
    const store = BlobStoreS3.make(bucket(), new PartBudget(6 * mebi))
    let release = () => {}
    const held = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(bytesOf(4 * mebi))
        release = () => controller.close()
      }
    })
    const first = run(store.put("first", held, { limit: 5 * mebi }))
    let second = await run(Effect.result(put(store, "second", 4 * mebi)))
    while (second._tag === "Success")
      second = await run(Effect.result(put(store, "second", 4 * mebi)))
    assert.strictEqual(second.failure._tag, "BlobStoreBusy")
    release()
    await first
    await run(put(store, "second", 4 * mebi))
  })
})

describe("blobs in files and, since some day, in a bucket", () => {
  it("new blobs go to the bucket, and older ones are served and deleted in the folder", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nacre-blobs-"))
    try {
      const files = BlobStoreFiles.make(folder)
      await run(put(files, "older", 10))
      const store = BlobStoreS3.over(files, BlobStoreS3.make(bucket()))
      await run(put(store, "newer", 20))
      assert.isUndefined(await run(files.head("newer")))
      assert.deepStrictEqual(
        [await run(store.head("older")), await run(store.head("newer"))],
        [10, 20]
      )
      const part = await run(store.get("older", { offset: 2, length: 3 }))
      assert.deepStrictEqual(
        new Uint8Array(await new Response(part!.body).arrayBuffer()),
        bytesOf(10).slice(2, 5)
      )
      await run(store.delete(["older", "newer"]))
      assert.isUndefined(await run(files.get("older")))
      assert.isUndefined(await run(store.get("newer")))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
