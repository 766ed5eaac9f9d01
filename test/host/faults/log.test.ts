import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { assertUnavailable, makeWorld } from "./world.ts"

describe("outages of the event log", () => {
  for (const fault of ["before", "after", "hangs", "dies"] as const) {
    it.effect(`writes succeed and are announced later, once and in order (${fault})`, () =>
      Effect.gen(function* () {
        const { faults, frames, person, pass, mirrorOf } = yield* makeWorld
        const alice = yield* person("alice")
        const before = frames.length
        faults.log = fault
        for (let at = 0; at < 5; at++) {
          assert.strictEqual((yield* alice.post(`unheard ${at}`)).status, 200)
          yield* pass(1)
        }
        yield* pass(20)
        if (fault !== "after") assert.strictEqual(frames.length, before)
        faults.log = undefined
        // Nobody writes, so the alarm alone must deliver it.
        yield* pass(60)
        const mirror = yield* mirrorOf(alice.did)
        assert.strictEqual(mirror?.rev, yield* alice.rev)
        assert.strictEqual(mirror?.records.size, 5)
        assert.strictEqual(frames.length, before + 5)

        assert.strictEqual((yield* alice.post("heard at once")).status, 200)
        yield* pass(1)
        assert.strictEqual((yield* mirrorOf(alice.did))?.records.size, 6)
      }).pipe(Effect.scoped)
    )
  }

  it.effect("a sign-up succeeds and is announced later, in order", () =>
    Effect.gen(function* () {
      const { faults, of, signUp, pass, mirrorOf } = yield* makeWorld
      faults.log = "before"
      assert.strictEqual((yield* signUp("bob")).status, 200)
      yield* pass(10)
      faults.log = undefined
      yield* pass(10)
      assert.deepStrictEqual(
        of("did:web:bob.test").map(({ type }) => type),
        ["#identity", "#account", "#commit", "#sync"]
      )
      assert.isDefined(yield* mirrorOf("did:web:bob.test"))
    }).pipe(Effect.scoped)
  )

  it.effect("a deactivation takes effect at once, and its event follows later", () =>
    Effect.gen(function* () {
      const { faults, frames, person, call, pass } = yield* makeWorld
      const { did, auth } = yield* person("carol")
      const before = frames.length
      faults.log = "before"
      const done = yield* call("com.atproto.server.deactivateAccount", { input: {}, auth })
      assert.strictEqual(done.status, 200)
      const { body } = yield* call(`com.atproto.sync.getRepoStatus?did=${did}`)
      assert.deepStrictEqual(body, { did, active: false, status: "deactivated" })
      faults.log = undefined
      yield* pass(10)
      assert.deepStrictEqual(
        frames.slice(before).map(({ type, body }) => [type, body.active, body.status]),
        [["#account", false, "deactivated"]]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("the log's own methods report the outage, and all others work", () =>
    Effect.gen(function* () {
      const { faults, person, call, pass } = yield* makeWorld
      const { did } = yield* person("dora")
      faults.log = "before"
      for (const nsid of [
        "com.atproto.sync.listRepos",
        "com.atproto.sync.listReposByCollection?collection=com.example.note",
        "com.atproto.sync.subscribeRepos"
      ]) {
        const asked = yield* Effect.forkChild(call(nsid))
        yield* pass(1)
        assertUnavailable(yield* Fiber.join(asked))
      }
      assert.strictEqual((yield* call(`com.atproto.sync.getRepo?did=${did}`)).status, 200)
      assert.strictEqual((yield* call(`com.atproto.repo.describeRepo?repo=${did}`)).status, 200)
    }).pipe(Effect.scoped)
  )
})
