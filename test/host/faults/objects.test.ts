import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assertUnavailable, makeWorld } from "./world.ts"

const bytes = Uint8Array.from(Buffer.from("some bytes that are worth keeping"))

const cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"

describe("outages of an account's object", () => {
  it.effect("a write that never arrived fails, changes nothing, and the next one works", () =>
    Effect.gen(function* () {
      const { faults, frames, person, pass, mirrorOf } = yield* makeWorld
      const alice = yield* person("alice")
      const rev = yield* alice.rev
      const before = frames.length
      faults.objects = "before"
      assertUnavailable(yield* alice.post("lost"))
      faults.objects = undefined
      yield* pass(10)
      assert.strictEqual(yield* alice.rev, rev)
      assert.strictEqual(frames.length, before)
      assert.strictEqual((yield* alice.post("found")).status, 200)
      yield* pass(1)
      assert.strictEqual((yield* mirrorOf(alice.did))?.records.size, 1)
    }).pipe(Effect.scoped)
  )

  it.effect(
    "a write with a lost response is complete: stored, announced once, and visible to a retry",
    () =>
      Effect.gen(function* () {
        const { faults, person, call, pass, mirrorOf } = yield* makeWorld
        const alice = yield* person("alice")
        const record = { $type: "com.example.note", text: "once" }
        const input = { repo: alice.did, collection: "com.example.note", rkey: "it", record }
        const put = call("com.atproto.repo.putRecord", { input, auth: alice.auth })
        faults.objects = "after"
        assertUnavailable(yield* put)
        faults.objects = undefined
        const again = yield* put
        assert.strictEqual(again.status, 200)
        assert.isUndefined(again.body["commit"], "it was there already")
        yield* pass(10)
        const mirror = yield* mirrorOf(alice.did)
        assert.strictEqual(mirror?.rev, yield* alice.rev)
        assert.strictEqual(mirror?.records.get("com.example.note/it"), again.body["cid"])
      }).pipe(Effect.scoped)
  )

  it.effect("a sign-in and a read report the outage", () =>
    Effect.gen(function* () {
      const { faults, person, call } = yield* makeWorld
      const { did } = yield* person("alice")
      faults.objects = "before"
      const input = { identifier: "alice.test", password: "a long password" }
      assertUnavailable(yield* call("com.atproto.server.createSession", { input }))
      assertUnavailable(yield* call(`com.atproto.sync.getRepo?did=${did}`))
      assertUnavailable(yield* call(`com.atproto.sync.getBlob?did=${did}&cid=${cid}`))
      faults.objects = undefined
      assert.strictEqual((yield* call("com.atproto.server.createSession", { input })).status, 200)
    }).pipe(Effect.scoped)
  )

  for (const fault of ["before", "after"] as const) {
    for (const step of ["authorizeUpload", "recordUpload"]) {
      it.effect(`an upload fails and can be repeated (${step}, ${fault})`, () =>
        Effect.gen(function* () {
          const { faults, person, call, pass, mirrorOf } = yield* makeWorld
          const { did, upload, post } = yield* person("alice")
          faults.objects = fault
          faults.objectsOnly = step
          assertUnavailable(yield* upload(bytes))
          faults.objects = undefined
          assert.deepStrictEqual(
            (yield* call(`com.atproto.sync.listBlobs?did=${did}`)).body["cids"],
            []
          )
          const uploaded = yield* upload(bytes)
          assert.strictEqual(uploaded.status, 200)
          const { blob } = uploaded.body
          assert.strictEqual((yield* post("with it", { file: blob })).status, 200)
          const get = `com.atproto.sync.getBlob?did=${did}&cid=${blob.ref.$link}`
          assert.deepStrictEqual((yield* call(get)).bytes, bytes)
          yield* pass(1)
          assert.strictEqual((yield* mirrorOf(did))?.records.size, 1)
        }).pipe(Effect.scoped)
      )
    }
  }

  for (const fault of ["before", "after"] as const) {
    it.effect(`a sign-up whose announcement fails (${fault}) is announced later, once`, () =>
      Effect.gen(function* () {
        const { faults, signUp, call, pass, mirrorOf } = yield* makeWorld
        const did = "did:web:bob.test"
        faults.objects = fault
        faults.objectsOnly = "announce"
        assert.strictEqual((yield* signUp("bob")).status, 200)
        faults.objects = undefined
        yield* pass(60)
        assert.isDefined(yield* mirrorOf(did))
        assert.strictEqual((yield* call(`com.atproto.sync.getRepo?did=${did}`)).status, 200)
        assert.include(JSON.stringify((yield* call("com.atproto.sync.listRepos")).body), did)
      }).pipe(Effect.scoped)
    )
  }

  for (const [step, fault] of [
    ["create", "before"],
    ["create", "after"]
  ] as const) {
    it.effect(`a failed sign-up doesn't block the next one (${step}, ${fault})`, () =>
      Effect.gen(function* () {
        const { faults, signUp, call, pass, mirrorOf } = yield* makeWorld
        const did = "did:web:bob.test"
        faults.objects = fault
        faults.objectsOnly = step
        assertUnavailable(yield* signUp("bob"))
        faults.objects = undefined
        yield* pass(10)
        const status = yield* call(`com.atproto.sync.getRepoStatus?did=${did}`)
        assert.strictEqual(status.body["error"], "RepoNotFound")
        const handle = yield* call("com.atproto.identity.resolveHandle?handle=bob.test")
        assert.strictEqual(handle.status, 400)
        assert.strictEqual((yield* signUp("bob")).status, 200)
        yield* pass(5)
        assert.isDefined(yield* mirrorOf(did))
        assert.strictEqual((yield* call(`com.atproto.sync.getRepo?did=${did}`)).status, 200)
      }).pipe(Effect.scoped)
    )
  }
})
