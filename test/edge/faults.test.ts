import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { assertUnavailable, makeWorld } from "../host/faults/world.ts"

const bytes = Uint8Array.from(Buffer.from("some bytes that everybody may see"))

/** Alice, with a note whose blob the edge has cached. */
const withNote = Effect.gen(function* () {
  const world = yield* makeWorld
  const { call, pass } = world
  const { did, auth, post, upload } = yield* world.person("alice")
  const { body } = yield* upload(bytes)
  const cid: string = body["blob"].ref.$link
  const { uri } = (yield* post("with a blob", { file: body["blob"] })).body
  const read = call(`com.atproto.sync.getBlob?did=${did}&cid=${cid}`)
  yield* read
  yield* pass(1)
  const rkey = String(uri).split("/").at(-1)
  const input = { repo: did, collection: "com.example.note", rkey }
  const remove = call("com.atproto.repo.deleteRecord", { auth, input })
  const note = call(
    `com.atproto.repo.getRecord?repo=${did}&collection=com.example.note&rkey=${rkey}`
  )
  return { ...world, read, remove, note, post }
})

describe("the edge during an outage of the directory", () => {
  it.effect("a blob comes from its account during an outage", () =>
    Effect.gen(function* () {
      const { faults, read, pass } = yield* withNote
      faults.directory = "before"
      assert.deepStrictEqual((yield* read).bytes, bytes)
      faults.directory = "hangs"
      const reading = yield* Effect.forkChild(read)
      yield* pass(3)
      assert.deepStrictEqual((yield* Fiber.join(reading)).bytes, bytes)
    }).pipe(Effect.scoped)
  )

  for (const fault of ["before", "after", "hangs"] as const) {
    it.effect(
      `nothing can be taken back while the edge may still show it, and a retry succeeds (${fault})`,
      () =>
        Effect.gen(function* () {
          const { faults, read, remove, note, pass, post } = yield* withNote
          faults.directory = fault
          faults.directoryOnly = "shutEdge"
          const removing = yield* Effect.forkChild(remove)
          yield* pass(6)
          assertUnavailable(yield* Fiber.join(removing))
          assert.strictEqual((yield* note).status, 200)
          assert.deepStrictEqual((yield* read).bytes, bytes)
          // Everything else works.
          assert.strictEqual((yield* post("more")).status, 200)

          faults.directory = undefined
          assert.strictEqual((yield* remove).status, 200)
          const gone = yield* read
          assert.deepStrictEqual([gone.status, gone.body["error"]], [400, "BlobNotFound"])
          assert.strictEqual((yield* note).body["error"], "RecordNotFound")
        }).pipe(Effect.scoped)
    )
  }

  it.effect("an interrupted reader doesn't open the edge", () =>
    Effect.gen(function* () {
      const { faults, read, remove, pass } = yield* withNote
      faults.directory = "before"
      faults.directoryOnly = "openEdge"
      assert.deepStrictEqual((yield* read).bytes, bytes)
      yield* pass(1)
      assert.strictEqual((yield* remove).status, 200)
      assert.strictEqual((yield* read).body["error"], "BlobNotFound")
    }).pipe(Effect.scoped)
  )
})
