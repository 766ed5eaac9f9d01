import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as BlockStoreSqlite from "../../src/layers/BlockStoreSqlite.ts"
import * as SqlStorageNode from "../../src/layers/SqlStorageNode.ts"
import { Repo } from "../../src/services/Repo.ts"
import { repoServices, type RepoServices, type RepoWorld } from "../support/repoWorld.ts"

const did = "did:plc:abcdefghijklmnopqrstuvwx"

const world = (run: (world: RepoWorld) => Effect.Effect<void, unknown, RepoServices>) =>
  Effect.gen(function* () {
    const { world, context } = yield* repoServices(
      did,
      BlockStoreSqlite.layer,
      SqlStorageNode.layer(":memory:")
    )
    yield* Effect.provide(run(world), context)
  }).pipe(Effect.scoped)

const write = Effect.flatMap(Repo, (repo) =>
  repo.write([{ action: "create", collection: "com.example.note", record: {} }], {})
)

/** Lets everything run that can, and moves the clock. */
const pass = (seconds: number) =>
  Effect.andThen(TestClock.adjust(`${seconds} seconds`), Effect.yieldNow)

describe("Outbox", () => {
  it.effect(
    "keeps what a failing log did not take, and delivers it by alarm, in order and once",
    () =>
      world(({ armed, breakLog, events }) =>
        Effect.gen(function* () {
          breakLog("fails")
          const first = yield* write
          const second = yield* write
          yield* pass(0)
          assert.isDefined(armed())
          assert.strictEqual(events().length, 0)
          breakLog("works")
          yield* pass(3)
          assert.deepStrictEqual(
            events().map((event) => event.head?.rev),
            [first.commit?.rev, second.commit?.rev]
          )
        })
      )
  )

  it.effect("arms the alarm again when it rings while a hand-over is still under way", () =>
    world(({ armed, breakLog }) =>
      Effect.gen(function* () {
        breakLog("hangs")
        yield* write
        yield* pass(0)
        const before = armed()
        assert.isDefined(before)
        yield* pass(3)
        // The object may be killed now: only an alarm can deliver the event then.
        assert.isAbove(armed() ?? 0, before ?? 0)
      })
    )
  )
})
