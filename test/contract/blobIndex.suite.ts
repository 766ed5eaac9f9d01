import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { rowsAPage } from "../../src/layers/blobListing.ts"
import * as BlobIndexSqlite from "../../src/layers/BlobIndexSqlite.ts"
import { cidForRaw } from "../../src/repo/cid.ts"
import { tidFromMicros } from "../../src/repo/tid.ts"
import { BlobIndex } from "../../src/services/BlobIndex.ts"
import { SqlStorage, type SqlCursor } from "../../src/services/SqlStorage.ts"

type Sql = SqlStorage["Service"]
type Index = BlobIndex["Service"]

const hour = 3_600_000
const start = 1_790_000_000_000

/** The time of a test, moved by hand. */
class Hand {
  now = start
}

/** Counts the rows that statements wrote, as the platform bills them. */
class Bill {
  #cursors: Array<SqlCursor<never>> = []

  over(sql: Sql): Sql {
    return SqlStorage.of({
      ...sql,
      exec: (query, ...bindings) => {
        const cursor = sql.exec<never>(query, ...bindings)
        this.#cursors.push(cursor)
        return cursor
      }
    })
  }

  /** The rows written by `body`. */
  of(body: () => void): number {
    this.#cursors = []
    body()
    return this.#cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0)
  }
}

/** The n-th blob of a test. */
export const cidOf = (n: number): string =>
  cidForRaw(new TextEncoder().encode(`blob ${n}`)).toString()

/** An index over a database; tables are made. */
export const indexOver = (sql: Sql, hand: Hand = new Hand()): Index => {
  for (const table of BlobIndexSqlite.tables) sql.exec(table)
  const time = { currentTimeMillisUnsafe: () => hand.now }
  return Effect.runSync(
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      return yield* BlobIndex.pipe(
        Effect.provide(BlobIndexSqlite.layer),
        Effect.provideService(SqlStorage, sql),
        Effect.provideService(Clock.Clock, { ...clock, ...time })
      )
    })
  )
}

/** Uploads the n-th blob: the note before, the record after. */
export const upload = (
  index: Index,
  n: number,
  { key = `key ${n}`, mimeType = "image/png", size = 100 + n, now = start, quota = 1e9 } = {}
) => {
  index.noteUpload(key, now)
  return index.record({ cid: cidOf(n), key, mimeType, size, now, quota })
}

const rev = (n: number) => tidFromMicros((start + n * hour) * 1000, 7)
const reference = (n: number, change = {}) => ({
  cid: cidOf(n),
  mimeType: "image/png",
  size: 100 + n,
  ...change
})
const tagOf = (answer: object | undefined) =>
  answer === undefined ? undefined : (answer as { _tag?: string })._tag
const sorted = (...numbers: Array<number>) => numbers.map(cidOf).toSorted()

/** What every BlobIndex must do; `withStorage` runs the body on an empty database. */
export const blobIndexContract = (
  name: string,
  withStorage: (body: (sql: Sql) => void) => Promise<void>
) => {
  const check = (title: string, body: (index: Index, bill: Bill, hand: Hand, sql: Sql) => void) =>
    it(title, () =>
      withStorage((sql) => {
        const bill = new Bill()
        const hand = new Hand()
        body(indexOver(bill.over(sql), hand), bill, hand, sql)
      })
    )

  describe(`BlobIndex over ${name}`, () => {
    check("neither serves nor lists an upload until a record refers to it", (index) => {
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
      "bills two rows for an upload, two for its reference, and four to be rid of it",
      (index, bill) => {
        assert.strictEqual(
          bill.of(() => upload(index, 1)),
          2
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
          1
        )
        assert.strictEqual(
          bill.of(() => index.swept(["key 1"])),
          1
        )
      }
    )

    check(
      "bills two rows for an imported reference, three for the upload it waits for",
      (index, bill) => {
        const paths = () => index.setRefs("app.test/1", [cidOf(1)], rev(1), start)
        assert.strictEqual(bill.of(paths), 2)
        assert.strictEqual(
          bill.of(() => upload(index, 1)),
          3
        )
      }
    )

    check("keeps a blob that two records share until the second of them is gone", (index) => {
      upload(index, 1)
      index.setRefs("app.test/a", [cidOf(1)], rev(1), start)
      index.setRefs("app.test/b", [cidOf(1), cidOf(1)], rev(2), start)
      index.dropRefs("app.test/a", start)
      assert.isDefined(index.locate(cidOf(1)))
      assert.isUndefined(index.nextSweep(hour))
      index.dropRefs("app.test/b", start + hour)
      assert.isUndefined(index.locate(cidOf(1)))
      assert.strictEqual(index.nextSweep(hour), start + 2 * hour)
      assert.deepStrictEqual(index.sweep(start + 2 * hour - 1, hour, 10), [])
      assert.deepStrictEqual(index.sweep(start + 2 * hour, hour, 10), ["key 1"])
    })

    check("lets an updated record exchange one of its blobs and keep the other", (index) => {
      for (const n of [1, 2, 3]) upload(index, n)
      index.setRefs("app.test/a", [cidOf(1), cidOf(2)], rev(1), start)
      index.setRefs("app.test/a", [cidOf(2), cidOf(3)], rev(2), start)
      assert.deepStrictEqual(index.list({ limit: 10 }).items, sorted(2, 3))
      assert.isUndefined(index.check([reference(1)]))
      assert.deepStrictEqual(index.counts(), { expected: 2, imported: 2 })
    })

    check(
      "rolls references back with the transaction that they stand in",
      (index, _bill, _hand, sql) => {
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
      }
    )

    check("refuses references that do not fit what is stored or their place", (index) => {
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

    check("refuses a reference to an upload not recorded, or expected but not here", (index) => {
      index.noteUpload("key 1", start)
      index.setRefs("app.test/a", [cidOf(2)], rev(1), start)
      assert.strictEqual(tagOf(index.check([reference(1)])), "BlobNotFound")
      assert.strictEqual(tagOf(index.check([reference(2)])), "BlobNotFound")
    })

    check(
      "makes an upload permanent at once when a record waits for it, and lists it as new",
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

    check("names for each missing blob a record that still refers to it, page by page", (index) => {
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
    })

    check("pages through its blobs with any limit, each once", (index) => {
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
      "reads a bounded number of rows for a page, even when none of them is listed",
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
        assert.deepStrictEqual(index.usage(), { bytes: 101, count: 1 })
      }
    )

    check("answers a repeated record of one upload with the same blob", (index) => {
      const first = upload(index, 1)
      const call = { cid: cidOf(1), key: "key 1", mimeType: "image/png", size: 101, now: start }
      assert.deepStrictEqual(index.record(call), first)
      const double = upload(index, 1, { key: "key 1b" })
      assert.deepStrictEqual(index.record({ ...call, key: "key 1b" }), double)
      assert.deepStrictEqual(index.usage(), { bytes: 101, count: 1 })
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
        assert.deepStrictEqual(index.usage(), { bytes: 1000, count: 2 })
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
        assert.deepStrictEqual(index.usage(), { bytes: 203, count: 2 })
        index.sweep(start + hour, hour, 10)
        assert.deepStrictEqual(index.usage(), { bytes: 101, count: 1 })
        assert.deepStrictEqual(indexOver(sql, hand).usage(), { bytes: 101, count: 1 })
        sql.exec("DELETE FROM blob")
        assert.deepStrictEqual(index.usage(), { bytes: 0, count: 0 })
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
      assert.isUndefined(index.nextSweep(hour))
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

    check(
      "agrees with a model after hundreds of random uploads, writes, deletions and sweeps",
      (index, _bill, hand, sql) => {
        for (let seed = 1; seed <= 5; seed++) {
          sql.exec("DELETE FROM blob")
          sql.exec("DELETE FROM blob_ref")
          runModel(index, hand, seed)
        }
      }
    )
  })
}

/** Small numbers from a seed (a linear congruential generator). */
const dice = (seed: number) => {
  let state = seed
  return (sides: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % sides
  }
}

/** Random steps against sets: who refers to what, and what is here. */
const runModel = (index: Index, hand: Hand, seed: number) => {
  const roll = dice(seed)
  const records = new Map<string, Set<number>>()
  const here = new Map<number, string>()
  const referred = () => new Set([...records.values()].flatMap((blobs) => [...blobs]))
  for (let step = 0; step < 400; step++) {
    hand.now += 61_000
    const path = `app.test/${roll(6)}`
    const n = roll(8)
    const action = roll(10)
    if (action < 3) {
      const key = `${seed} ${step}`
      upload(index, n, { key, now: hand.now })
      if (!here.has(n)) here.set(n, key)
    } else if (action < 7) {
      const blobs = new Set([n, roll(8)])
      index.setRefs(path, [...blobs].map(cidOf), rev(step), hand.now)
      records.set(path, blobs)
    } else if (action < 9) {
      index.dropRefs(path, hand.now)
      records.delete(path)
    } else {
      const keys = index.sweep(hand.now, 0, 100)
      index.swept(keys)
      const kept = referred()
      for (const [blob] of here) if (!kept.has(blob)) here.delete(blob)
    }
    const wanted = [...referred()]
    const served = wanted.filter((blob) => here.has(blob))
    const label = `seed ${seed}, step ${step}`
    assert.deepStrictEqual(index.list({ limit: 100 }).items, sorted(...served), label)
    const missing = index.missing({ limit: 100 }).items
    const absent = wanted.filter((blob) => !here.has(blob))
    assert.deepStrictEqual(
      missing.map(({ cid }) => cid),
      sorted(...absent),
      label
    )
    for (const { cid, path } of missing) {
      const blobs = [...(records.get(path) ?? [])].map(cidOf)
      assert.include(blobs, cid, label)
    }
    for (const blob of served)
      assert.strictEqual(index.locate(cidOf(blob))?.key, here.get(blob), label)
    assert.strictEqual(index.usage().count, here.size, label)
  }
}
