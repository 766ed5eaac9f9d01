import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assertUnavailable, makeWorld } from "./world.ts"

const session = (identifier: string, password = "a long password") => ({
  input: { identifier, password }
})

describe("outages of the directory", () => {
  it.effect(
    "an account is readable and writable by its DID, and calls with a handle report the outage",
    () =>
      Effect.gen(function* () {
        const { faults, person, call, pass, mirrorOf } = yield* makeWorld
        const { did, post, rev } = yield* person("alice")
        faults.directory = "before"
        assert.strictEqual((yield* post("written without a directory")).status, 200)
        const list = "com.atproto.repo.listRecords?collection=com.example.note&repo="
        assert.strictEqual((yield* call(list + did)).body["records"].length, 1)
        assertUnavailable(yield* call(`${list}alice.test`))
        assertUnavailable(yield* call("com.atproto.identity.resolveHandle?handle=alice.test"))
        yield* pass(1)
        faults.directory = undefined
        assert.strictEqual((yield* mirrorOf(did))?.rev, yield* rev)
      }).pipe(Effect.scoped)
  )

  it.effect("a sign-in reports the outage rather than a wrong password", () =>
    Effect.gen(function* () {
      const { faults, person, call } = yield* makeWorld
      const { did } = yield* person("alice")
      faults.directory = "before"
      for (const identifier of ["alice.test", "alice@example.com", did]) {
        assertUnavailable(yield* call("com.atproto.server.createSession", session(identifier)))
      }
      faults.directory = undefined
      const again = yield* call("com.atproto.server.createSession", session("alice.test"))
      assert.strictEqual(again.status, 200)
    }).pipe(Effect.scoped)
  )

  for (const fault of ["before", "after"] as const) {
    for (const step of ["reserve", "setStatus"]) {
      it.effect(`a sign-up leaves nothing behind and can be repeated (${step}, ${fault})`, () =>
        Effect.gen(function* () {
          const { faults, frames, signUp, call, pass, mirrorOf } = yield* makeWorld
          const did = "did:web:bob.test"
          faults.directory = fault
          faults.directoryOnly = step
          assertUnavailable(yield* signUp("bob"))
          faults.directory = undefined
          yield* pass(10)
          assert.strictEqual(frames.length, 0, "nobody has heard of it")
          const status = yield* call(`com.atproto.sync.getRepoStatus?did=${did}`)
          assert.deepStrictEqual([status.status, status.body["error"]], [400, "RepoNotFound"])
          const handle = yield* call("com.atproto.identity.resolveHandle?handle=bob.test")
          assert.strictEqual(handle.status, 400)

          // A reservation with a lost response blocks until it counts as abandoned.
          if (step === "reserve" && fault === "after") yield* pass(60)
          assert.strictEqual((yield* signUp("bob")).status, 200)
          yield* pass(1)
          assert.isDefined(yield* mirrorOf(did))
        }).pipe(Effect.scoped)
      )
    }
  }

  it.effect("a failed deactivation or activation changes nothing and can be repeated", () =>
    Effect.gen(function* () {
      const { faults, frames, person, call, pass } = yield* makeWorld
      const { did, auth, post } = yield* person("carol")
      const deactivate = call("com.atproto.server.deactivateAccount", { input: {}, auth })
      const activate = call("com.atproto.server.activateAccount", { type: "", auth })
      const status = Effect.map(
        call(`com.atproto.sync.getRepoStatus?did=${did}`),
        ({ body }) => body["active"]
      )
      const before = frames.length
      faults.directory = "before"
      assertUnavailable(yield* deactivate)
      assert.isTrue(yield* status)
      assert.strictEqual((yield* post("still here")).status, 200)
      faults.directory = undefined
      assert.strictEqual((yield* deactivate).status, 200)
      faults.directory = "before"
      assertUnavailable(yield* activate)
      assert.isFalse(yield* status)
      faults.directory = undefined
      assert.strictEqual((yield* activate).status, 200)
      assert.isTrue(yield* status)
      yield* pass(1)
      const types = frames.slice(before).map(({ type }) => type)
      assert.deepStrictEqual(types, ["#commit", "#account", "#account", "#identity", "#sync"])
    }).pipe(Effect.scoped)
  )

  it.effect("creating an invite code fails instead of returning an invalid one", () =>
    Effect.gen(function* () {
      const { faults, call, admin } = yield* makeWorld
      faults.directory = "before"
      const asked = { input: { useCount: 1 }, auth: admin }
      assertUnavailable(yield* call("com.atproto.server.createInviteCode", asked))
      faults.directory = undefined
      assert.strictEqual((yield* call("com.atproto.server.createInviteCode", asked)).status, 200)
    }).pipe(Effect.scoped)
  )
})
