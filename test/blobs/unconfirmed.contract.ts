import { assert, describe } from "@effect/vitest"
import {
  checker,
  cidOf,
  hour,
  indexOver,
  reference,
  rev,
  sizeOf,
  start,
  tagOf,
  upload,
  type WithStorage
} from "./blobIndex.fixture.ts"

type Index = ReturnType<typeof indexOver>

/** The n-th blob as an upload whose bytes are known. */
const whole = (n: number, change = {}) => ({
  cid: cidOf(n),
  key: `key ${n}`,
  mimeType: "image/png",
  size: sizeOf(n),
  ...change
})

const note = (index: Index, n: number, change = {}) =>
  index.noteWhole({ ...whole(n), now: start, quota: 1e9, ...change })

/** What every BlobIndex guarantees about uploads that are noted before they are stored. */
export const unconfirmedContract = (name: string, withStorage: WithStorage) => {
  const check = checker(withStorage)

  describe(`unconfirmed uploads of BlobIndex over ${name}`, () => {
    check("an unconfirmed upload is stored for nobody before it's confirmed", (index) => {
      assert.strictEqual(note(index, 1), "noted")
      assert.deepInclude(index.check([reference(1)]), { _tag: "BlobUnconfirmed", ...whole(1) })
      assert.deepStrictEqual(index.own({ limit: 9 }).items, [])
      assert.isUndefined(index.find(cidOf(1)))
      assert.isUndefined(index.locate(cidOf(1)))
      assert.deepStrictEqual(index.missing({ limit: 9 }).items, [])
      assert.deepStrictEqual(index.unconfirmed(9), [whole(1)])
      assert.deepStrictEqual(index.unconfirmed(cidOf(1)), [whole(1)])
      assert.deepStrictEqual(index.unconfirmed(cidOf(2)), [])
      index.confirm(whole(1), start + 5)
      assert.isUndefined(index.check([reference(1)]))
      assert.deepStrictEqual(index.unconfirmed(9), [])
      assert.deepStrictEqual(index.own({ limit: 9 }).items, [
        { ...whole(1), refs: 0, isTakenDown: false }
      ])
      // A repeated call, and one for a key that isn't the row's, change nothing.
      index.confirm(whole(1), start)
      index.confirm(whole(2), start)
      assert.strictEqual(tagOf(index.check([reference(2)])), "BlobNotFound")
      assert.strictEqual(index.usage(), sizeOf(1))
    })

    check("an upload bills two rows before the put, and one when it's confirmed", (index, bill) => {
      note(index, 1)
      assert.strictEqual(
        bill.of(() => void note(index, 2)),
        2
      )
      assert.strictEqual(
        bill.of(() => index.confirm(whole(2), start)),
        1
      )
    })

    check(
      "an unconfirmed upload counts once, and the sweep frees what never came",
      (index, _, hand) => {
        note(index, 1, { size: 600, quota: 1000 })
        assert.strictEqual(index.usage(), 600)
        assert.strictEqual(
          tagOf(note(index, 2, { size: 401, quota: 1000 }) as object),
          "BlobQuotaExceeded"
        )
        // The first one failed: its bytes come again under another key.
        assert.isUndefined(note(index, 1, { key: "key 1b", size: 600, quota: 1000 }))
        assert.isUndefined(tagOf(upload(index, 1, { key: "key 1b", size: 600, quota: 1000 })))
        assert.strictEqual(index.usage(), 1200)
        assert.isUndefined(index.check([reference(1, { size: 600 })]))
        hand.now += hour
        index.setRefs("app.test/a", [cidOf(1)], rev(1), start)
        assert.deepStrictEqual([...index.sweep(hand.now + hour, hour, 10)], ["key 1"])
        assert.strictEqual(index.usage(), 600)
        assert.isUndefined(index.check([reference(1, { size: 600 })]))
      }
    )

    check("noteWhole returns a stored blob, whose time starts over", (index) => {
      upload(index, 1)
      const later = { key: "key 1b", mimeType: "image/x-new", now: start + hour }
      const kept = { ...whole(1), mimeType: "image/x-new" }
      assert.deepStrictEqual(note(index, 1, later), kept)
      assert.deepStrictEqual(index.sweep(start + hour + 1, hour, 10), [])
      index.setRefs("app.test/a", [cidOf(1)], rev(1), start)
      assert.deepStrictEqual(note(index, 1, { mimeType: "image/x-other" }), kept)
      assert.strictEqual(index.usage(), sizeOf(1))
    })

    check("a blob that a record waits for is recorded by a second call", (index) => {
      index.setRefs("app.test/a", [cidOf(1)], rev(1), start)
      assert.isUndefined(note(index, 1))
      assert.deepStrictEqual(index.unconfirmed(9), [])
    })

    check("a record that comes to wait for an unconfirmed upload gets it", (index) => {
      note(index, 1)
      // An import sets references without a check.
      index.setRefs("app.test/a", [cidOf(1)], rev(1), start)
      assert.lengthOf(index.missing({ limit: 9 }).items, 1)
      index.confirm(whole(1), start)
      assert.deepStrictEqual(index.missing({ limit: 9 }).items, [])
      assert.deepStrictEqual(index.locate(cidOf(1)), whole(1))
      assert.strictEqual(index.usage(), sizeOf(1))
    })

    check("record confirms an upload whose put took long, unless it was swept", (index) => {
      note(index, 1)
      const call = { ...whole(1), now: start }
      assert.deepStrictEqual(index.record(call), { blob: whole(1), condemned: false })
      assert.isUndefined(index.check([reference(1)]))
      note(index, 2)
      assert.include(index.sweep(start + hour, hour, 10), "key 2")
      assert.strictEqual(tagOf(index.record({ ...whole(2), now: start })), "UploadExpired")
    })

    check("a moderator can take down an unconfirmed upload", (index) => {
      note(index, 1)
      assert.isTrue(index.setTakedown(cidOf(1), "report 5"))
      assert.strictEqual(tagOf(index.check([reference(1)])), "BlobNotFound")
      assert.deepStrictEqual(index.unconfirmed(9), [])
      assert.strictEqual(tagOf(note(index, 1, { key: "key 1b" }) as object), "BlobTakendown")
      assert.strictEqual(tagOf(index.record({ ...whole(1), now: start })), "BlobTakendown")
      index.swept(index.sweep(start + 9 * hour, hour, 10))
      assert.strictEqual(index.takedown(cidOf(1)), "report 5")
      assert.isTrue(index.setTakedown(cidOf(1), undefined))
      assert.isDefined(index.nextSweep(hour))
      assert.strictEqual(tagOf(index.check([reference(1)])), "BlobUnconfirmed")
    })

    check("the keys of unconfirmed uploads are known, and when the last was noted", (index) => {
      note(index, 1)
      index.noteUpload("other", start)
      assert.sameMembers([...index.keys({ limit: 9 }).items], ["key 1", "other"])
      assert.isTrue(index.hasUnconfirmedSince(start - 1))
      assert.isFalse(index.hasUnconfirmedSince(start))
      index.confirm(whole(1), start)
      assert.isFalse(index.hasUnconfirmedSince(start - 1))
    })
  })
}
