import { assert, describe, it } from "@effect/vitest"
import { PartBudget } from "../../src/layers/blobs/partBudget.ts"
import { PartWriter } from "../../src/layers/blobs/partWriter.ts"

const mebi = 1024 * 1024

/** A bucket that records its parts and takes each on demand. */
const fakeBucket = () => {
  const parts: Array<number> = []
  let inFlight = 0
  let most = 0
  const upload = {
    uploadPart: async (partNumber: number, part: Uint8Array) => {
      parts.push(part.byteLength)
      most = Math.max(most, ++inFlight)
      await Promise.resolve()
      inFlight--
      return { partNumber, etag: "" }
    },
    complete: async () => {},
    abort: async () => {}
  }
  const bucket = { put: async () => {}, createMultipartUpload: async () => upload }
  return { bucket: bucket as unknown as R2Bucket, parts, most: () => most }
}

describe("uploads of unknown length", () => {
  it("an upload holds one part of 5 MiB and sends one at a time", async () => {
    const { bucket, parts, most } = fakeBucket()
    const budget = new PartBudget(5 * mebi)
    const writer = new PartWriter(bucket, "key", { budget, stall: 1000 })
    for (let sent = 0; sent < 16; sent++) {
      await writer.write(new Uint8Array(mebi))
      assert.isAtMost(budget.taken, 5 * mebi)
    }
    await writer.finish()
    assert.deepStrictEqual(parts, [5 * mebi, 5 * mebi, 5 * mebi, mebi])
    assert.strictEqual(most(), 1)
    writer.release()
    assert.strictEqual(budget.taken, 0)
  })

  it("a small body holds little memory", async () => {
    const budget = new PartBudget(5 * mebi)
    const writer = new PartWriter(fakeBucket().bucket, "key", { budget, stall: 1000 })
    await writer.write(new Uint8Array(1000))
    assert.strictEqual(budget.taken, mebi / 4)
  })

  it("an upload is rejected while others hold all memory, and accepted when one has ended", async () => {
    const budget = new PartBudget(10 * mebi)
    const { bucket } = fakeBucket()
    const [first, second, third] = [1, 2, 3].map(
      () => new PartWriter(bucket, "key", { budget, stall: 1000 })
    )
    await first!.write(new Uint8Array(4 * mebi))
    await second!.write(new Uint8Array(4 * mebi))
    const refused = await third!.write(new Uint8Array(1)).catch((cause: unknown) => cause)
    assert.deepInclude(refused, { _tag: "BlobStoreBusy", retryAfterSeconds: 5 })
    third!.release()
    first!.release()
    const fourth = new PartWriter(bucket, "key", { budget, stall: 1000 })
    await fourth.write(new Uint8Array(1))
    assert.strictEqual(budget.taken, 5 * mebi + mebi / 4)
  })

  it("a dead upload is forgotten after a minute, and counts again if it comes back", () => {
    const budget = new PartBudget(10)
    const silent = budget.open(0)
    assert.isTrue(budget.hold(silent, 10, 0))
    const next = budget.open(60_000)
    assert.isFalse(budget.hold(next, 5, 60_000))
    assert.isTrue(budget.hold(next, 5, 60_001))
    assert.isFalse(budget.hold(silent, 10, 60_002))
    assert.strictEqual(budget.taken, 15)
  })
})
