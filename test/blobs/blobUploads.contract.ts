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

/** What every BlobIndex must do with uploads, and how it gets rid of them. */
export const blobUploadsContract = (name: string, withStorage: WithStorage) => {
  const check = checker(withStorage)

  describe(`Uploads and sweeps of BlobIndex over ${name}`, () => {
    check(
      "keeps the older object of a content uploaded twice, and condemns the other key",
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
        // The temporary blob is young again; only the second key is due.
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

    check("answers a repeated record of one upload with the same blob", (index) => {
      const first = upload(index, 1)
      const call = { cid: cidOf(1), key: "key 1", mimeType: "image/png", size: 101, now: start }
      assert.deepStrictEqual(index.record(call), first)
      const double = upload(index, 1, { key: "key 1b" })
      assert.deepStrictEqual(index.record({ ...call, key: "key 1b" }), double)
      assert.strictEqual(index.usage(), 101)
      assert.deepStrictEqual(index.sweep(start, hour, 10), ["key 1b"])
    })

    check(
      "condemns the key of an upload that was swept before it ended, or never noted",
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
      "refuses what the quota has no room for, but not content that is here already",
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
      "counts in its usage temporary and permanent blobs, until they are swept",
      (index, _bill, hand, sql) => {
        upload(index, 1)
        upload(index, 2)
        index.setRefs("app.test/a", [cidOf(1), cidOf(9)], rev(1), start)
        index.noteUpload("unfinished", start)
        assert.strictEqual(index.usage(), 203)
        index.sweep(start + hour, hour, 10)
        assert.strictEqual(index.usage(), 101)
        assert.strictEqual(indexOver(sql, hand).usage(), 101)
        // An earlier version kept no sum.
        sql.exec("DELETE FROM blob_usage")
        assert.strictEqual(index.usage(), 101)
        upload(index, 3)
        assert.strictEqual(index.usage(), 204)
        assert.strictEqual(indexOver(sql, hand).usage(), 204)
      }
    )

    check("sweeps in steps, and repeats keys until it hears that they are deleted", (index) => {
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

    check("sweeps once a day, and finds what an earlier version has left", (index, _b, _h, sql) => {
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

    check("waits again for a blob that is let be after its sweep", (index, _bill, hand) => {
      upload(index, 1)
      index.setTakedown(cidOf(1), "report 5")
      index.restSweep(start + hour, hour)
      assert.isUndefined(index.nextSweep(hour))
      hand.now = start + 5 * hour
      index.setTakedown(cidOf(1), undefined)
      assert.strictEqual(index.nextSweep(hour), start + 6 * hour)
      assert.deepStrictEqual(index.sweep(start + 6 * hour, hour, 10), ["key 1"])
    })

    check("does not let a record refer to a blob whose deletion has begun", (index) => {
      upload(index, 1)
      index.sweep(start + hour, hour, 10)
      assert.strictEqual(tagOf(index.check([reference(1)])), "BlobNotFound")
      // Uploaded anew it is another object, which the deletion of the old one does not touch.
      upload(index, 1, { key: "key 1b" })
      index.setRefs("app.test/a", [cidOf(1)], rev(1), start)
      index.swept(["key 1"])
      assert.strictEqual(index.locate(cidOf(1))?.key, "key 1b")
    })

    check(
      "spares for a minute a blob that a commit under way has checked",
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

    check("neither serves, lists, sweeps nor takes again a blob that is taken down", (index) => {
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
    })

    check("names every key in the store, page by page", (index) => {
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
