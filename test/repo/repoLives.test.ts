import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as BlockStoreSqlite from "../../src/layers/repo/BlockStoreSqlite.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { EventLog } from "../../src/layers/stream/EventLog.ts"
import { isTid } from "../../src/core/repo/tid.ts"
import { Repo } from "../../src/services/repo/Repo.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { repoServices } from "./repoWorld.ts"

const did = "did:plc:abcdefghijklmnopqrstuvwx"

const note = { action: "create", collection: "com.example.note", record: {} } as const

const write = Effect.flatMap(Repo, (repo) => repo.write([note], {}))

const hour = 3_600_000

describe("a repo over the life of its object", () => {
  it.effect(
    "the log accepts a repo's events after its object restarts with a clock that went back",
    () =>
      Effect.gen(function* () {
        const sql = Layer.succeed(SqlStorage, SqlStorageNode.make(SqlStorageNode.open(":memory:")))
        const log = new EventLog(SqlStorageNode.make(SqlStorageNode.open(":memory:")), Date.now)
        const live = Effect.gen(function* () {
          const { context, world } = yield* repoServices(did, BlockStoreSqlite.layer, sql)
          const { commit } = yield* Effect.provide(write, context)
          return { rev: commit?.rev, taken: log.append(did, world.events()).frames.length }
        }).pipe(Effect.scoped)
        yield* TestClock.setTime(1000 * hour)
        const first = yield* live
        yield* TestClock.setTime(999 * hour)
        const second = yield* live
        assert.isAbove((second.rev ?? "").localeCompare(first.rev ?? ""), 0)
        assert.deepStrictEqual([first.taken, second.taken], [1, 1])
      })
  )

  it.effect("an object that has just woken stores its first write in the same turn", () =>
    Effect.gen(function* () {
      const sql = Layer.succeed(SqlStorage, SqlStorageNode.make(SqlStorageNode.open(":memory:")))
      const live = Effect.scoped(
        Effect.gen(function* () {
          const { context } = yield* repoServices(did, BlockStoreSqlite.layer, sql)
          const repo = Context.get(context, Repo)
          const written = repo.writeNow([note], {}, context)
          assert.isTrue(Result.isResult(written) && Result.isSuccess(written))
          return (yield* repo.head).records
        })
      )
      assert.deepStrictEqual([yield* live, yield* live], [1, 2])
    })
  )

  for (const drawn of [0, 0.5, 1 - 2 ** -53]) {
    it.effect(`a repo creates valid revs and keys for any clock id (${drawn})`, () =>
      Effect.gen(function* () {
        const { context } = yield* repoServices(
          did,
          BlockStoreSqlite.layer,
          SqlStorageNode.layer(":memory:")
        )
        const done = yield* Effect.provide(write, context)
        assert.isTrue(isTid(done.commit?.rev ?? ""))
        assert.isTrue(isTid(done.results[0]?.uri.split("/").at(-1) ?? ""))
      }).pipe(
        Effect.scoped,
        Effect.provideService(Random.Random, {
          nextIntUnsafe: () => 0,
          nextDoubleUnsafe: () => drawn
        })
      )
    )
  }
})
