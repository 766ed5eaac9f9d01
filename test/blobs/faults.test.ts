import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { until } from "../support/server/server.ts"
import { assertUnavailable, makeWorld } from "../host/faults/world.ts"

const bytes = Uint8Array.from(Buffer.from("some bytes that are worth keeping"))

/** An uploaded blob as a record's field. */
const fieldOf = (answer: { readonly body: Record<string, unknown> }) => ({
  file: answer.body["blob"]
})

const cidOf = (answer: { readonly body: Record<string, { ref: { $link: string } }> }): string =>
  answer.body["blob"]!.ref.$link

const withAlice = Effect.gen(function* () {
  const world = yield* makeWorld
  const person = yield* world.person("alice")
  return { ...world, person, post: person.post }
})

describe("a broken blob store", () => {
  for (const fault of ["before", "during", "after"] as const) {
    it.effect(`an upload fails, nothing refers to it, and the next one succeeds (${fault})`, () =>
      Effect.gen(function* () {
        const { faults, stored, person, call, post } = yield* withAlice
        faults.blobs = fault
        assertUnavailable(yield* person.upload(bytes))
        faults.blobs = undefined
        const list = `com.atproto.sync.listBlobs?did=${person.did}`
        assert.deepStrictEqual((yield* call(list)).body["cids"], [])
        const uploaded = yield* person.upload(bytes)
        assert.strictEqual(uploaded.status, 200)
        assert.strictEqual((yield* post("with it", fieldOf(uploaded))).status, 200)
        assert.deepStrictEqual((yield* call(list)).body["cids"], [cidOf(uploaded)])
        const get = `com.atproto.sync.getBlob?did=${person.did}&cid=${cidOf(uploaded)}`
        assert.deepStrictEqual((yield* call(get)).bytes, bytes)

        // The sweep deletes what was stored but never recorded; referenced blobs stay.
        yield* TestClock.adjust("24 hours")
        yield* Effect.promise(() => until("the sweep", () => stored.size === 1))
        assert.deepStrictEqual((yield* call(get)).bytes, bytes)
      }).pipe(Effect.scoped)
    )
  }

  it.effect(
    "a stored blob is unavailable rather than unknown, and records can still be written",
    () =>
      Effect.gen(function* () {
        const { faults, person, call, post, pass, mirrorOf } = yield* withAlice
        const first = yield* person.upload(bytes)
        const second = yield* person.upload(bytes.slice(5))
        assert.strictEqual((yield* post("first", fieldOf(first))).status, 200)
        faults.blobs = "before"
        const get = `com.atproto.sync.getBlob?did=${person.did}&cid=`
        assertUnavailable(yield* call(get + cidOf(first)))
        const unknown = yield* call(
          get + "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
        )
        assert.strictEqual(unknown.body["error"], "BlobNotFound")
        assert.strictEqual((yield* post("second", fieldOf(second))).status, 200)
        faults.blobs = undefined
        assert.deepStrictEqual((yield* call(get + cidOf(second))).bytes, bytes.slice(5))
        yield* pass(1)
        assert.strictEqual((yield* mirrorOf(person.did))?.records.size, 2)
      }).pipe(Effect.scoped)
  )

  it.effect("an interrupted download never looks complete", () =>
    Effect.gen(function* () {
      const { faults, person, call, post } = yield* withAlice
      const uploaded = yield* person.upload(bytes)
      yield* post("with it", fieldOf(uploaded))
      const get = `com.atproto.sync.getBlob?did=${person.did}&cid=${cidOf(uploaded)}`
      faults.blobs = "during"
      const exit = yield* Effect.exit(call(get))
      assert.strictEqual(exit._tag, "Failure")
      faults.blobs = undefined
      assert.deepStrictEqual((yield* call(get)).bytes, bytes)
    }).pipe(Effect.scoped)
  )

  it.effect("a sweep that failed runs again when the store is back", () =>
    Effect.gen(function* () {
      const { faults, stored, person } = yield* withAlice
      yield* person.upload(bytes)
      assert.strictEqual(stored.size, 1)
      faults.blobs = "before"
      yield* TestClock.adjust("24 hours")
      assert.strictEqual(stored.size, 1)
      faults.blobs = undefined
      yield* TestClock.adjust("2 minutes")
      yield* Effect.promise(() => until("the sweep", () => stored.size === 0))
    }).pipe(Effect.scoped)
  )
})
