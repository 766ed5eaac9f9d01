import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as BlockStoreSqlite from "../../src/layers/repo/BlockStoreSqlite.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { readCar } from "../../src/core/repo/car.ts"
import { decodeFrame, withSeq } from "../../src/core/repo/frame.ts"
import { isMap } from "../../src/core/repo/json.ts"
import { Backlog } from "../../src/services/stream/Backlog.ts"
import { Outbox } from "../../src/services/stream/Outbox.ts"
import { Repo, type Write } from "../../src/services/repo/Repo.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import {
  type LogCalls,
  repoServices,
  type RepoServices,
  type RepoWorld
} from "../repo/repoWorld.ts"

const did = "did:plc:abcdefghijklmnopqrstuvwx"

const worldWith =
  (calls: LogCalls, sql = SqlStorageNode.layer(":memory:")) =>
  (run: (world: RepoWorld) => Effect.Effect<void, unknown, RepoServices>) =>
    Effect.gen(function* () {
      const { world, context } = yield* repoServices(did, BlockStoreSqlite.layer, sql, calls)
      yield* Effect.provide(run(world), context)
    }).pipe(Effect.scoped)

const note = { action: "create", collection: "com.example.note", record: {} } as const

const write = Effect.flatMap(Repo, (repo) => repo.write([note], {}))

/** Two records of nearly a million bytes in one commit: its frame takes two rows. */
const writeLarge = Effect.flatMap(Repo, (repo) => {
  const record = (letter: string) => ({ text: letter.repeat(950_000) })
  const create = (letter: string): Write => ({
    action: "create",
    collection: "com.example.note",
    record: record(letter)
  })
  return repo.write([create("a"), create("b")], {})
})

const cidsOf = async (car: Uint8Array): Promise<Array<string>> => {
  const cids: Array<string> = []
  const stream = new Blob([new Uint8Array(car)]).stream()
  for await (const { cid } of readCar(stream)) cids.push(cid.toString())
  return cids
}

/** Advances the clock and runs everything that is ready. */
const pass = (seconds: number) =>
  Effect.andThen(TestClock.adjust(`${seconds} seconds`), Effect.yieldNow)

describe.each<LogCalls>(["in a fiber", "without a fiber"])("the outbox, %s", (logCalls) => {
  const world = worldWith(logCalls)

  it.effect(
    "the outbox keeps what a failing log didn't take, and the alarm delivers it in order, once",
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

  it.effect("a lone event is delivered at once, however short a time ago another was", () =>
    world(({ calls }) =>
      Effect.gen(function* () {
        for (const expected of [[1], [1, 1], [1, 1, 1]]) {
          yield* write
          yield* pass(0)
          assert.deepStrictEqual(calls, expected)
        }
      })
    )
  )

  it.effect(
    "an event takes the row of the one that the log has, unless its transaction fails",
    () =>
      world(({ events, sql }) =>
        Effect.gen(function* () {
          const outbox = yield* Outbox
          const rows = () => [...sql.exec("SELECT id FROM outbox").raw()].flat()
          const first = yield* write
          yield* pass(0)
          const taken = rows()
          assert.lengthOf(taken, 1)
          const failing = () => {
            outbox.push({ kind: "commit", frame: new Uint8Array(40), seqOffset: 1 })
            assert.notDeepEqual(rows(), taken)
            throw new Error("no room")
          }
          assert.throws(() => sql.transaction(failing), "no room")
          assert.deepStrictEqual(rows(), taken)
          const second = yield* write
          assert.lengthOf(rows(), 1)
          assert.notDeepEqual(rows(), taken)
          yield* pass(0)
          const third = yield* write
          const fourth = yield* write
          yield* pass(1)
          assert.deepStrictEqual(
            events().map((event) => event.head?.rev),
            [first, second, third, fourth].map(({ commit }) => commit?.rev)
          )
          yield* outbox.deliver
          assert.lengthOf(rows(), 0)
        })
      )
  )

  it.effect("events that come while the log takes others are delivered together", () =>
    world(({ calls, slowDown }) =>
      Effect.gen(function* () {
        const millis = (count: number) => pass(count / 1000)
        slowDown(5)
        yield* write
        yield* pass(0)
        yield* write
        yield* write
        assert.deepStrictEqual(calls, [1])
        yield* millis(5)
        assert.deepStrictEqual(calls, [1, 2])
        yield* millis(5)
        yield* write
        yield* write
        yield* write
        yield* millis(7)
        assert.deepStrictEqual(calls, [1, 2])
        yield* millis(1)
        assert.deepStrictEqual(calls, [1, 2, 3])
      })
    )
  )

  it.effect("the alarm gives up a hand-over after twenty seconds, and delivers its events", () =>
    world(({ calls, breakLog }) =>
      Effect.gen(function* () {
        breakLog("hangs")
        yield* write
        yield* pass(0)
        breakLog("works")
        yield* pass(18)
        assert.deepStrictEqual(calls, [])
        yield* pass(8)
        assert.deepStrictEqual(calls, [1])
        yield* write
        yield* pass(0)
        assert.deepStrictEqual(calls, [1, 1])
      })
    )
  )

  it.effect("writes of one turn are delivered in one call", () =>
    world(({ calls }) =>
      Effect.gen(function* () {
        const repo = yield* Repo
        const services = yield* Effect.context()
        for (let count = 0; count < 3; count++) repo.writeNow([note], {}, services)
        assert.deepStrictEqual(calls, [])
        yield* pass(0)
        assert.deepStrictEqual(calls, [3])
      })
    )
  )

  it.effect("an object that is evicted between commit and delivery delivers by its alarm", () =>
    Effect.gen(function* () {
      const sql = Layer.succeed(SqlStorage, SqlStorageNode.make(SqlStorageNode.open(":memory:")))
      const live = worldWith(logCalls, sql)
      let rev: string | undefined
      yield* live(({ breakLog, calls }) =>
        Effect.gen(function* () {
          breakLog("hangs")
          rev = (yield* write).commit?.rev
          yield* pass(0)
          assert.deepStrictEqual(calls, [])
        })
      )
      yield* live(({ calls, events }) =>
        Effect.gen(function* () {
          const [event, ...others] = events()
          assert.deepStrictEqual([event?.head?.rev, others], [rev, []])
          yield* write
          yield* pass(0)
          assert.deepStrictEqual(calls, [1, 1])
        })
      )
    })
  )

  it.effect("the outbox keeps frames that are larger than a row", () =>
    world(({ breakLog, events }) =>
      Effect.gen(function* () {
        breakLog("fails")
        const { results, commit } = yield* writeLarge
        yield* pass(0)
        breakLog("works")
        yield* pass(3)
        const [event] = events()
        if (event === undefined) return assert.fail("no event")
        const { frame, seqOffset } = event
        assert.isAbove(frame.byteLength, 1_800_000)
        const { body } = decodeFrame(withSeq(frame, seqOffset, 2 ** 40))
        if (!isMap(body) || !(body.blocks instanceof Uint8Array)) return assert.fail("no frame")
        const { blocks } = body
        const cids = yield* Effect.promise(() => cidsOf(blocks))
        for (const { cid } of [...results, commit!]) assert.include(cids, String(cid))
      })
    )
  )

  it.effect("the outbox is noted on the host after five minutes, and again every ten", () => {
    const notes: Array<number> = []
    return world(({ breakLog }) =>
      Effect.gen(function* () {
        breakLog("fails")
        yield* write
        yield* write
        for (let minute = 0; minute < 17; minute++) {
          yield* (yield* Outbox).deliver
          yield* pass(60)
        }
        assert.deepStrictEqual(notes, [2, 2])
      }).pipe(
        Effect.provideService(Backlog, {
          note: (_, { events }) => Effect.sync(() => void notes.push(events)),
          total: () => Effect.undefined
        })
      )
    )
  })

  it.effect("the outbox sets the alarm again when it fires during a hand-over", () =>
    world(({ armed, breakLog }) =>
      Effect.gen(function* () {
        breakLog("hangs")
        yield* write
        yield* pass(0)
        const before = armed()
        assert.isDefined(before)
        yield* pass(3)
        // If the object dies now, only an alarm can deliver the event.
        assert.isAbove(armed() ?? 0, before ?? 0)
      })
    )
  )
})

describe("the outbox of a Durable Object", () => {
  it.effect("the call to the log leaves in the turn of the write, as the response does", () =>
    worldWith("without a fiber")(({ calls }) =>
      Effect.gen(function* () {
        const services = yield* Effect.context()
        const repo = yield* Repo
        repo.writeNow([note], {}, services)
        // Both wait for the commit there: nothing may take a timer or another turn before.
        yield* Effect.promise(() => Promise.resolve())
        assert.deepStrictEqual(calls, [1])
      })
    )
  )
})
