import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { makeWorld } from "../../host/faults/world.ts"

const picture = Uint8Array.from(Buffer.from("a picture that must go"))

describe("the deletion of an account during outages", () => {
  /** A world with an account that has a blob, has requested its deletion, and has the code. */
  const begin = Effect.gen(function* () {
    const world = yield* makeWorld
    const { accounts, call, pass, person } = world
    const alice = yield* person("alice")
    const { body } = yield* alice.upload(picture)
    yield* alice.post("with a picture", { picture: body["blob"] })
    yield* pass(1)
    yield* call("com.atproto.server.requestAccountDelete", { type: "", auth: alice.auth })
    const [pending] = yield* accounts.call(alice.did, "pendingCodes")
    const { did } = alice
    const input = { did, password: "a long password", token: pending?.code }
    const status = Effect.map(
      call(`com.atproto.sync.getRepoStatus?did=${did}`),
      (answer) => answer.body["error"] ?? answer.body["status"] ?? "active"
    )
    const deletions = () => world.of(did).filter(({ body }) => body.status === "deleted").length
    return {
      ...world,
      did,
      status,
      deletions,
      end: call("com.atproto.server.deleteAccount", { input })
    }
  })

  it.effect(
    "the alarm completes a deletion after an outage of the blob store, and nobody can sign in meanwhile",
    () =>
      Effect.gen(function* () {
        const { call, deletions, end, faults, pass, status, stored } = yield* begin
        assert.strictEqual(stored.size, 1)
        faults.blobs = "before"
        assert.strictEqual((yield* end).status, 200, "decided is decided")
        assert.deepStrictEqual([yield* status, deletions()], ["deactivated", 0])
        const input = { identifier: "alice.test", password: "a long password" }
        const { body } = yield* call("com.atproto.server.createSession", { input })
        const auth = `Bearer ${body["accessJwt"]}`
        const back = yield* call("com.atproto.server.activateAccount", { type: "", auth })
        assert.strictEqual(back.status, 400)
        faults.blobs = undefined
        yield* pass(70)
        assert.deepStrictEqual([yield* status, deletions()], ["RepoNotFound", 1])
        assert.strictEqual(stored.size, 0)
      }).pipe(Effect.scoped)
  )

  it.effect(
    "the alarm completes a deletion after an outage of the directory, which frees the names",
    () =>
      Effect.gen(function* () {
        const { deletions, end, faults, pass, signUp, status } = yield* begin
        faults.directory = "before"
        faults.directoryOnly = "remove"
        assert.strictEqual((yield* end).status, 200)
        assert.strictEqual(deletions(), 0)
        assert.notStrictEqual((yield* signUp("alice")).status, 200)
        faults.directory = undefined
        yield* pass(70)
        assert.deepStrictEqual([yield* status, deletions()], ["RepoNotFound", 1])
        assert.strictEqual((yield* signUp("alice")).status, 200)
      }).pipe(Effect.scoped)
  )

  it.effect("the storage stays until the log has the last event", () =>
    Effect.gen(function* () {
      const { deletions, did, end, faults, frames, pass, status } = yield* begin
      faults.log = "before"
      const ended = yield* Effect.forkChild(end)
      while ((yield* status) === "active") yield* pass(1)
      yield* pass(10)
      assert.deepStrictEqual([yield* status, deletions()], ["deactivated", 0])
      faults.log = undefined
      yield* pass(70)
      assert.strictEqual((yield* Fiber.join(ended)).status, 200)
      assert.strictEqual(yield* status, "RepoNotFound")
      assert.strictEqual(frames.findLast(({ body }) => body.did === did)?.body.status, "deleted")
    }).pipe(Effect.scoped)
  )
})
