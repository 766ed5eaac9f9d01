import { assert, describe } from "@effect/vitest"
import { rowsAPage } from "../../src/layers/blobs/blobListing.ts"
import {
  cidOf,
  hour,
  reference,
  rev,
  sorted,
  start,
  tagOf,
  upload,
  checker,
  type WithStorage
} from "./blobIndex.fixture.ts"
import { blobModelContract } from "./blobModel.contract.ts"
import { blobUploadsContract } from "./blobUploads.contract.ts"

/** What every BlobIndex guarantees; `withStorage` runs the body on an empty database. */
export const blobIndexContract = (name: string, withStorage: WithStorage) => {
  const check = checker(withStorage)

  describe(`BlobIndex over ${name}`, () => {
    check("an upload is neither served nor listed until a record refers to it", (index) => {
      index.noteUpload("key 1", start)
      assert.deepStrictEqual(index.list({ limit: 10 }).items, [])
      index.record({ cid: cidOf(1), key: "key 1", mimeType: "image/png", size: 101, now: start })
      assert.deepStrictEqual(index.list({ limit: 10 }).items, [])
      assert.isUndefined(index.locate(cidOf(1)))
      index.setRefs("app.test/1", [cidOf(1)], rev(1), start)
      assert.deepStrictEqual(index.list({ limit: 10 }), { items: [cidOf(1)], cursor: undefined })
      assert.deepStrictEqual(index.locate(cidOf(1)), {
        cid: cidOf(1),
        key: "key 1",
        mimeType: "image/png",
        size: 101
      })
    })

    check(
      "an upload bills three rows, its reference two, and their removal five",
      (index, bill) => {
        // The first of a day writes one more row: that something waits for the sweep.
        assert.strictEqual(
          bill.of(() => upload(index, 9)),
          4
        )
        index.setRefs("app.test/9", [cidOf(9)], rev(1), start)
        assert.strictEqual(
          bill.of(() => upload(index, 1)),
          3
        )
        const path = "app.test/1"
        assert.strictEqual(
          bill.of(() => index.setRefs(path, [cidOf(1)], rev(1), start)),
          2
        )
        assert.strictEqual(
          bill.of(() => index.setRefs(path, [cidOf(1)], rev(2), start)),
          0
        )
        assert.strictEqual(
          bill.of(() => index.setRefs("app.test/2", [], rev(3), start)),
          0
        )
        assert.strictEqual(
          bill.of(() => index.dropRefs(path, start)),
          2
        )
        assert.strictEqual(
          bill.of(() => index.dropRefs("app.test/2", start)),
          0
        )
        assert.strictEqual(
          bill.of(() => index.sweep(start + hour, hour, 10)),
          2
        )
        assert.strictEqual(
          bill.of(() => index.swept(["key 1"])),
          1
        )
      }
    )

    check(
      "an imported reference bills two rows, and the upload that it waits for four",
      (index, bill) => {
        upload(index, 9)
        const paths = () => index.setRefs("app.test/1", [cidOf(1)], rev(1), start)
        assert.strictEqual(bill.of(paths), 2)
        assert.strictEqual(
          bill.of(() => upload(index, 1)),
          4
        )
      }
    )

    check("a blob in two records stays until the second of them is gone", (index) => {
      upload(index, 1)
      index.setRefs("app.test/a", [cidOf(1)], rev(1), start)
      index.setRefs("app.test/b", [cidOf(1), cidOf(1)], rev(2), start)
      index.dropRefs("app.test/a", start)
      assert.isDefined(index.locate(cidOf(1)))
      assert.deepStrictEqual(index.sweep(start + hour, hour, 10), [])
      index.restSweep(start + hour, hour)
      assert.isUndefined(index.nextSweep(hour))
      index.dropRefs("app.test/b", start + hour)
      assert.isUndefined(index.locate(cidOf(1)))
      assert.strictEqual(index.nextSweep(hour), start + 2 * hour)
      assert.deepStrictEqual(index.sweep(start + 2 * hour - 1, hour, 10), [])
      assert.deepStrictEqual(index.sweep(start + 2 * hour, hour, 10), ["key 1"])
    })

    check("an updated record may exchange one of its blobs and keep the other", (index) => {
      for (const n of [1, 2, 3]) upload(index, n)
      index.setRefs("app.test/a", [cidOf(1), cidOf(2)], rev(1), start)
      index.setRefs("app.test/a", [cidOf(2), cidOf(3)], rev(2), start)
      assert.deepStrictEqual(index.list({ limit: 10 }).items, sorted(2, 3))
      assert.isUndefined(index.check([reference(1)]))
      assert.deepStrictEqual(index.counts(), { expected: 2, imported: 2 })
    })

    check("references roll back with their transaction", (index, _bill, _hand, sql) => {
      upload(index, 1)
      assert.throws(() =>
        sql.transaction(() => {
          index.setRefs("app.test/a", [cidOf(1)], rev(1), start)
          throw new Error("the commit fails")
        })
      )
      assert.isUndefined(index.locate(cidOf(1)))
      assert.deepStrictEqual(index.counts(), { expected: 0, imported: 0 })
      assert.deepStrictEqual(index.sweep(start + hour, hour, 10), ["key 1"])
    })

    check("check rejects references that don't fit the stored blob or their place", (index) => {
      upload(index, 1)
      const failure = (change: object) => index.check([reference(1), reference(1, change)])
      assert.isUndefined(failure({}))
      assert.isUndefined(failure({ accept: ["video/mp4", "image/*"], maxSize: 101 }))
      assert.isUndefined(failure({ accept: ["*/*"] }))
      assert.strictEqual(tagOf(failure({ cid: cidOf(2) })), "BlobNotFound")
      assert.strictEqual(tagOf(failure({ mimeType: "image/jpeg" })), "InvalidMimeType")
      assert.strictEqual(tagOf(failure({ accept: ["image/jpeg", "video/*"] })), "InvalidMimeType")
      assert.strictEqual(tagOf(failure({ accept: [] })), "InvalidMimeType")
      assert.strictEqual(tagOf(failure({ size: 100 })), "InvalidSize")
      assert.strictEqual(tagOf(failure({ maxSize: 100 })), "InvalidSize")
    })

    check("check rejects a reference to an unrecorded or missing upload", (index) => {
      index.noteUpload("key 1", start)
      index.setRefs("app.test/a", [cidOf(2)], rev(1), start)
      assert.strictEqual(tagOf(index.check([reference(1)])), "BlobNotFound")
      assert.strictEqual(tagOf(index.check([reference(2)])), "BlobNotFound")
    })

    check(
      "an upload that a record waits for becomes permanent at once and is listed as new",
      (index) => {
        index.setRefs("app.test/b", [cidOf(1), cidOf(2)], rev(1), start)
        index.setRefs("app.test/a", [cidOf(1)], rev(1), start)
        assert.deepStrictEqual(index.counts(), { expected: 2, imported: 0 })
        upload(index, 1, { now: start + 3 * hour })
        assert.strictEqual(index.locate(cidOf(1))?.key, "key 1")
        assert.deepStrictEqual(index.counts(), { expected: 2, imported: 1 })
        assert.deepStrictEqual(index.list({ since: rev(2), limit: 10 }).items, [cidOf(1)])
        index.dropRefs("app.test/b", start)
        assert.isDefined(index.locate(cidOf(1)))
        assert.deepStrictEqual(index.counts(), { expected: 1, imported: 1 })
      }
    )

    check(
      "missing lists each missing blob with a record that still refers to it, page by page",
      (index) => {
        for (let n = 0; n < 7; n++) index.setRefs(`app.test/${n}`, [cidOf(n)], rev(1), start)
        index.setRefs("app.test/other", [cidOf(3)], rev(1), start)
        index.dropRefs("app.test/3", start)
        index.dropRefs("app.test/4", start)
        upload(index, 5)
        const found: Array<{ cid: string; path: string }> = []
        for (let cursor: string | undefined, more = true; more;) {
          const page = index.missing({ limit: 2, ...(cursor === undefined ? {} : { cursor }) })
          found.push(...page.items)
          cursor = page.cursor
          more = cursor !== undefined
        }
        const expected = [0, 1, 2, 6].map((n) => ({ cid: cidOf(n), path: `app.test/${n}` }))
        expected.push({ cid: cidOf(3), path: "app.test/other" })
        assert.deepStrictEqual(
          found,
          expected.toSorted((a, b) => (a.cid < b.cid ? -1 : 1))
        )
      }
    )

    check("list returns each blob once with any page size", (index) => {
      for (let n = 0; n < 23; n++) {
        upload(index, n)
        index.setRefs(`app.test/${n}`, [cidOf(n)], rev(n), start)
      }
      const all = sorted(...Array.from({ length: 23 }, (_, n) => n))
      for (const limit of [1, 2, 7, 23, 100]) {
        const found: Array<string> = []
        let cursor: string | undefined
        do {
          const page = index.list({ limit, ...(cursor === undefined ? {} : { cursor }) })
          found.push(...page.items)
          cursor = page.cursor
        } while (cursor !== undefined)
        assert.deepStrictEqual(found, all)
      }
      assert.deepStrictEqual(index.list({ since: rev(20), limit: 100 }).items, sorted(21, 22))
    })

    check(
      "list reads a limited number of rows for a page, even if it lists none of them",
      (index, _bill, _hand, sql) => {
        sql.exec(
          `INSERT INTO blob (state, id, key, mime, size, rev, refs)
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
          SELECT 3, printf('b%06d', i), 'key ' || i, 'image/png', 1, ?, 1 FROM n`,
          rowsAPage + 10,
          rev(1)
        )
        const late = `b00${rowsAPage + 9}`
        sql.exec("UPDATE blob SET rev = ? WHERE id = ?", rev(3), late)
        const first = index.list({ since: rev(2), limit: 3 })
        assert.deepStrictEqual(first.items, [])
        assert.isDefined(first.cursor)
        const second = index.list({ since: rev(2), limit: 3, cursor: first.cursor ?? "" })
        assert.deepStrictEqual(second, { items: [late], cursor: undefined })
      }
    )
  })

  blobUploadsContract(name, withStorage)
  blobModelContract(name, withStorage)
}
