import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as AlarmsSqlite from "../../../src/layers/host/AlarmsSqlite.ts"
import * as SqlStorageNode from "../../../src/layers/host/sql/SqlStorageNode.ts"
import { SqlStorage } from "../../../src/services/host/SqlStorage.ts"

const did = "did:web:alice.test"

const makeWorld = Effect.gen(function* () {
  const sql = Context.get(yield* Layer.build(SqlStorageNode.layer(":memory:")), SqlStorage)
  const alarms = yield* AlarmsSqlite.make(sql)
  const rung: Array<number> = []
  const state = { fails: false }
  yield* alarms.start(() =>
    Effect.gen(function* () {
      rung.push(yield* Effect.clockWith(({ currentTimeMillis }) => currentTimeMillis))
      if (state.fails) return yield* Effect.die(new Error("database or disk is full"))
    })
  )
  return { sql, alarms, rung, state }
})

describe("the alarms of a machine", () => {
  it.effect("an alarm rings at its time, and again half a minute after its work failed", () =>
    Effect.gen(function* () {
      const { alarms, rung, state } = yield* makeWorld
      state.fails = true
      yield* alarms.of(did).by(1000)
      yield* TestClock.adjust("1 second")
      state.fails = false
      yield* TestClock.adjust("30 seconds")
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(rung, [1000, 31_000])
    }).pipe(Effect.scoped)
  )

  it.effect("an alarm that failed on a disk that takes nothing rings again once it does", () =>
    Effect.gen(function* () {
      const { alarms, rung, sql, state } = yield* makeWorld
      yield* alarms.of(did).by(1000)
      state.fails = true
      sql.exec("PRAGMA query_only = ON").toArray()
      yield* TestClock.adjust("1 second")
      yield* TestClock.adjust("30 seconds")
      sql.exec("PRAGMA query_only = OFF").toArray()
      state.fails = false
      yield* TestClock.adjust("30 seconds")
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(rung, [1000, 31_000, 61_000])
      assert.deepStrictEqual(sql.exec("SELECT * FROM alarm").toArray(), [])
    }).pipe(Effect.scoped)
  )

  it.effect("an alarm whose work is done, but whose row can't go yet, rings again", () =>
    Effect.gen(function* () {
      const { alarms, rung, sql } = yield* makeWorld
      yield* alarms.of(did).by(1000)
      sql.exec("PRAGMA query_only = ON").toArray()
      yield* TestClock.adjust("1 second")
      sql.exec("PRAGMA query_only = OFF").toArray()
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(rung, [1000, 31_000])
      assert.deepStrictEqual(sql.exec("SELECT * FROM alarm").toArray(), [])
    }).pipe(Effect.scoped)
  )
})
