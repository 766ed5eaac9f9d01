import { assert, describe } from "@effect/vitest"
import {
  indexOver,
  cidOf,
  hour,
  reference,
  rev,
  start,
  tagOf,
  upload,
  checker,
  type WithStorage
} from "./blobIndex.fixture.ts"

/** What every BlobIndex guarantees about uploads and sweeps. */
export const blobUploadsContract = (name: string, withStorage: WithStorage) => {
  const check = checker(withStorage)

  describe(`uploads and sweeps of BlobIndex over ${name}`, () => {
    check(
      "record keeps the older object of content uploaded twice, and condemns the other key",
      (index) => {
        upload(index, 1)
        const again = upload(index, 1, {
          key: "key 1b",
          mimeType: "image/x-new",
          now: start + hour
        })
        assert.deepStrictEqual(again, {
          blob: { cid: cidOf(1), key: "key 1", mimeType: "image/x-new", size: 101 },
          condemned: true
        })
        // The temporary blob starts over; only the second key is due.
        assert.deepStrictEqual(index.sweep(start + hour + 1, hour, 10), ["key 1b"])
        index.swept(["key 1b"])
        index.setRefs("app.test/a", [cidOf(1)], rev(1), start)
        const third = upload(index, 1, { key: "key 1c", mimeType: "image/x-other" })
        assert.deepStrictEqual(third, {
          blob: { cid: cidOf(1), key: "key 1", mimeType: "image/x-new", size: 101 },
          condemned: true
        })
        assert.strictEqual(index.locate(cidOf(1))?.key, "key 1")
        assert.strictEqual(index.usage(), 101)
      }
    )

    check("record returns the same blob for a repeated call", (index) => {
      const first = upload(index, 1)
      const call = { cid: cidOf(1), key: "key 1", mimeType: "image/png", size: 101, now: start }
      assert.deepStrictEqual(index.record(call), first)
      const double = upload(index, 1, { key: "key 1b" })
      assert.deepStrictEqual(index.record({ ...call, key: "key 1b" }), double)
      assert.strictEqual(index.usage(), 101)
      assert.deepStrictEqual(index.sweep(start, hour, 10), ["key 1b"])
    })

    check(
      "record condemns the key of an upload that was swept before it completed, or never noted",
      (index) => {
        index.noteUpload("key 1", start)
        assert.deepStrictEqual(index.sweep(start + hour, hour, 10), ["key 1"])
        const call = { cid: cidOf(1), key: "key 1", mimeType: "image/png", size: 101, now: start }
        assert.strictEqual(tagOf(index.record(call)), "UploadExpired")
        index.swept(["key 1"])
        assert.strictEqual(tagOf(index.record(call)), "UploadExpired")
        assert.deepStrictEqual(index.sweep(start, hour, 10), ["key 1"])
        assert.strictEqual(tagOf(index.check([reference(1)])), "BlobNotFound")
      }
    )

    check(
      "record rejects what exceeds the quota, except content that is stored already",
      (index) => {
        upload(index, 1, { size: 600, quota: 1000 })
        assert.strictEqual(tagOf(upload(index, 2, { size: 401, quota: 1000 })), "BlobQuotaExceeded")
        assert.isUndefined(tagOf(upload(index, 3, { size: 400, quota: 1000 })))
        assert.isUndefined(tagOf(upload(index, 1, { key: "key 1b", size: 600, quota: 1000 })))
        assert.strictEqual(index.usage(), 1000)
        assert.deepStrictEqual([...index.sweep(start, hour, 10)].toSorted(), ["key 1b", "key 2"])
      }
    )

    check(
      "the account's own quota is set and removed with what belongs to it, or not at all",
      (index) => {
        assert.isUndefined(index.quota())
        let noted = 0
        index.setQuota(5, () => (noted += 1))
        assert.deepStrictEqual([index.quota(), noted], [5, 1])
        const fails = () => {
          throw new Error("full")
        }
        assert.throws(() => index.setQuota(6, fails), "full")
        assert.strictEqual(index.quota(), 5)
        index.setQuota(0, () => undefined)
        assert.strictEqual(index.quota(), 0)
        index.setQuota(undefined, () => undefined)
        assert.isUndefined(index.quota())
      }
    )

    check(
      "usage counts temporary and permanent blobs until they are swept",
      (index, _bill, hand, sql) => {
        upload(index, 1)
        upload(index, 2)
        index.setRefs("app.test/a", [cidOf(1), cidOf(9)], rev(1), start)
        index.noteUpload("unfinished", start)
        assert.strictEqual(index.usage(), 203)
        index.sweep(start + hour, hour, 10)
        assert.strictEqual(index.usage(), 101)
        assert.strictEqual(indexOver(sql, hand).usage(), 101)
        // An earlier version kept no total.
        sql.exec("DELETE FROM blob_usage")
        assert.strictEqual(index.usage(), 101)
        upload(index, 3)
        assert.strictEqual(index.usage(), 204)
        assert.strictEqual(indexOver(sql, hand).usage(), 204)
      }
    )

    check("sweep works in steps and repeats keys until they are deleted", (index) => {
      for (let n = 0; n < 5; n++) upload(index, n)
      const later = start + hour
      const first = index.sweep(later, hour, 2)
      assert.lengthOf(first, 2)
      assert.deepStrictEqual(index.sweep(later, hour, 2), first)
      index.swept(first)
      const second = index.sweep(later, hour, 2)
      index.swept(second)
      const third = index.sweep(later, hour, 2)
      index.swept(third)
      const all = [...first, ...second, ...third].toSorted()
      assert.deepStrictEqual(
        all,
        [0, 1, 2, 3, 4].map((n) => `key ${n}`)
      )
      index.restSweep(later, hour)
      assert.isUndefined(index.nextSweep(hour))
    })

    check("sweep runs once a day and finds what an earlier version left", (index, _b, _h, sql) => {
      upload(index, 1)
      assert.strictEqual(index.nextSweep(hour), start + hour)
      upload(index, 2, { now: start + hour - 1 })
      index.swept(index.sweep(start + hour, hour, 10))
      index.restSweep(start + hour, hour)
      assert.strictEqual(index.nextSweep(hour), start + 25 * hour)
      assert.deepStrictEqual(index.sweep(start + 25 * hour, hour, 10), ["key 2"])
      sql.exec("DELETE FROM blob_wait")
      upload(index, 3, { now: start })
      sql.exec("DELETE FROM blob_wait")
      assert.strictEqual(indexOver(sql).nextSweep(hour), start + hour)
    })

    check("a restored blob waits for another sweep", (index, _bill, hand) => {
      upload(index, 1)
      index.setTakedown(cidOf(1), "report 5")
      index.restSweep(start + hour, hour)
      assert.isUndefined(index.nextSweep(hour))
      hand.now = start + 5 * hour
      index.setTakedown(cidOf(1), undefined)
      assert.strictEqual(index.nextSweep(hour), start + 6 * hour)
      assert.deepStrictEqual(index.sweep(start + 6 * hour, hour, 10), ["key 1"])
    })

    check("a record can't refer to a blob whose deletion has begun", (index) => {
      upload(index, 1)
      index.sweep(start + hour, hour, 10)
      assert.strictEqual(tagOf(index.check([reference(1)])), "BlobNotFound")
      // A new upload is another object, which the old one's deletion doesn't touch.
      upload(index, 1, { key: "key 1b" })
      index.setRefs("app.test/a", [cidOf(1)], rev(1), start)
      index.swept(["key 1"])
      assert.strictEqual(index.locate(cidOf(1))?.key, "key 1b")
    })

    check(
      "sweep spares a blob for a minute after a running commit checked it",
      (index, _bill, hand) => {
        upload(index, 1)
        upload(index, 2)
        hand.now = start + hour
        assert.isUndefined(index.check([reference(1)]))
        assert.deepStrictEqual(index.sweep(hand.now, hour, 10), ["key 2"])
        hand.now += 60_000
        assert.deepStrictEqual(index.sweep(hand.now, hour, 1), ["key 2"])
        index.swept(["key 2"])
        assert.deepStrictEqual(index.sweep(hand.now, hour, 1), ["key 1"])
      }
    )

    check(
      "a blob that is taken down is neither served, listed, swept nor accepted again",
      (index) => {
        upload(index, 1)
        index.setRefs("app.test/a", [cidOf(1)], rev(1), start)
        assert.isTrue(index.setTakedown(cidOf(1), "report 5"))
        assert.isFalse(index.setTakedown(cidOf(2), "report 5"))
        assert.strictEqual(index.takedown(cidOf(1)), "report 5")
        assert.isUndefined(index.locate(cidOf(1)))
        assert.deepStrictEqual(index.list({ limit: 1 }).items, [])
        assert.strictEqual(tagOf(index.check([reference(1)])), "BlobNotFound")
        assert.strictEqual(tagOf(upload(index, 1, { key: "key 1b" })), "BlobTakendown")
        index.dropRefs("app.test/a", start)
        assert.deepStrictEqual(index.sweep(start + 9 * hour, hour, 10), ["key 1b"])
        index.swept(["key 1b"])
        index.restSweep(start + 9 * hour, hour)
        assert.isUndefined(index.nextSweep(hour))
        index.setRefs("app.test/a", [cidOf(1)], rev(2), start)
        assert.isTrue(index.setTakedown(cidOf(1), undefined))
        assert.isUndefined(index.takedown(cidOf(1)))
        assert.isDefined(index.locate(cidOf(1)))
      }
    )

    check("keys lists every key in the store, page by page", (index) => {
      index.noteUpload("unfinished", start)
      for (const n of [1, 2, 3]) upload(index, n)
      upload(index, 3, { key: "double" })
      index.setRefs("app.test/a", [cidOf(1), cidOf(9)], rev(1), start)
      const found: Array<string> = []
      let cursor: string | undefined
      do {
        const page = index.keys({ limit: 2, ...(cursor === undefined ? {} : { cursor }) })
        found.push(...page.items)
        cursor = page.cursor
      } while (cursor !== undefined)
      const all = ["double", "key 1", "key 2", "key 3", "unfinished"]
      assert.deepStrictEqual(found.toSorted(), all)
    })
  })
}
