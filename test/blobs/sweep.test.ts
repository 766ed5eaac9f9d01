import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { make } from "../../src/layers/blobs/BlobStoreMemory.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { BlobIndex } from "../../src/services/blobs/BlobIndex.ts"
import { BlobStore, BlobStoreUnavailable } from "../../src/services/blobs/BlobStore.ts"
import { sweepBlobs } from "../../src/services/blobs/BlobSweep.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { cidOf, indexOver, upload } from "./blobIndex.fixture.ts"

const day = 24 * 3_600_000
const grace = 6 * 3_600_000

/** An index and a store that can fail; uploads use the test's clock. */
const setUp = Effect.gen(function* () {
  const objects = new Map<string, Uint8Array>()
  const store = make(objects)
  const index = indexOver(yield* SqlStorage)
  const broken = { is: false }
  const sweep = sweepBlobs(grace).pipe(
    Effect.provideService(BlobIndex, index),
    Effect.provideService(
      BlobStore,
      BlobStore.of({
        ...store,
        delete: (keys) =>
          broken.is
            ? Effect.fail(new BlobStoreUnavailable({ operation: "delete", cause: "down" }))
            : store.delete(keys)
      })
    )
  )
  const put = Effect.fnUntraced(function* (n: number) {
    const now = yield* Clock.currentTimeMillis
    objects.set(`key ${n}`, new Uint8Array(1))
    upload(index, n, { now })
  })
  return { objects, index, broken, sweep, put }
})

const withSql = Effect.provide(SqlStorageNode.layer(":memory:"))

describe("sweepBlobs", () => {
  it.effect(
    "sweepBlobs deletes what is past the grace period, once a day, and returns the next time",
    () =>
      Effect.gen(function* () {
        const { index, objects, put, sweep } = yield* setUp
        assert.isUndefined(yield* sweep)
        yield* put(1)
        yield* put(2)
        yield* TestClock.adjust(grace / 2)
        yield* put(3)
        index.setRefs("app.test/2", [cidOf(2)], "3jzfcijpj2z2a", 0)
        assert.strictEqual(yield* sweep, grace)
        assert.deepStrictEqual([...objects.keys()], ["key 1", "key 2", "key 3"])
        yield* TestClock.adjust(grace / 2)
        assert.strictEqual(yield* sweep, grace + day)
        assert.deepStrictEqual([...objects.keys()], ["key 2", "key 3"])
        yield* TestClock.adjust(day)
        assert.isUndefined(yield* sweep)
        assert.deepStrictEqual([...objects.keys()], ["key 2"])
      }).pipe(withSql)
  )

  it.effect("sweepBlobs keeps its rows when the store fails, and retries after a pause", () =>
    Effect.gen(function* () {
      const { broken, index, objects, put, sweep } = yield* setUp
      yield* put(1)
      yield* TestClock.adjust(grace)
      broken.is = true
      assert.strictEqual(yield* sweep, grace + 60_000)
      assert.strictEqual(objects.size, 1)
      assert.deepStrictEqual(index.keys({ limit: 10 }).items, ["key 1"])
      broken.is = false
      assert.isUndefined(yield* sweep)
      assert.strictEqual(objects.size, 0)
      assert.deepStrictEqual(index.keys({ limit: 10 }).items, [])
    }).pipe(withSql)
  )

  it.effect("sweepBlobs works in steps and asks to continue soon", () =>
    Effect.gen(function* () {
      const { objects, put, sweep } = yield* setUp
      for (let n = 0; n < 2100; n++) yield* put(n)
      yield* TestClock.adjust(grace)
      assert.strictEqual(yield* sweep, grace + 60_000)
      assert.strictEqual(objects.size, 100)
      assert.isUndefined(yield* sweep)
      assert.strictEqual(objects.size, 0)
    }).pipe(withSql)
  )
})
