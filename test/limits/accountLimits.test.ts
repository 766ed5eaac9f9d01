import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as AccountLimitsSqlite from "../../src/layers/limits/AccountLimitsSqlite.ts"
import * as ConfigEnv from "../../src/layers/host/ConfigEnv.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { AccountLimits } from "../../src/services/limits/AccountLimits.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"

const limits = [
  { limit: 2, windowSeconds: 60 },
  { limit: 3, windowSeconds: 600 }
]

const check = (
  title: string,
  env: Readonly<Record<string, string>>,
  body: Effect.Effect<void, unknown, AccountLimits | SqlStorage>
) =>
  it.effect(title, () => {
    const config = ConfigEnv.layer({
      MASTER_KEY: "A".repeat(43),
      PLC_ROTATION_KEY: "11".repeat(32),
      ADMIN_PASSWORD: "correct horse battery",
      ...env
    })
    const tables = Layer.effectDiscard(
      Effect.map(SqlStorage, (sql) => {
        for (const table of AccountLimitsSqlite.tables) sql.exec(table)
      })
    )
    const layer = Layer.merge(AccountLimitsSqlite.layer, tables).pipe(
      Layer.provideMerge(SqlStorageNode.layer(":memory:")),
      Layer.provide(config)
    )
    return Effect.provide(body, layer)
  })

const takes = (key: string) =>
  Effect.match(
    Effect.flatMap(AccountLimits, (account) =>
      account.take({ per: "account", key, windows: limits })
    ),
    { onSuccess: () => "ok", onFailure: ({ retryAfter }) => `again in ${retryAfter} s` }
  )

describe("AccountLimits over node:sqlite", () => {
  check(
    "take applies every limit of a key, also after the object's sleep",
    {},
    Effect.gen(function* () {
      assert.deepStrictEqual(
        [yield* takes("a"), yield* takes("a"), yield* takes("a"), yield* takes("b")],
        ["ok", "ok", "again in 60 s", "ok"]
      )
      yield* TestClock.adjust("60 seconds")
      const asleep = Layer.fresh(AccountLimitsSqlite.layer).pipe(
        Layer.provide(
          ConfigEnv.layer({
            MASTER_KEY: "A".repeat(43),
            PLC_ROTATION_KEY: "11".repeat(32),
            ADMIN_PASSWORD: "correct horse battery"
          })
        )
      )
      assert.strictEqual(yield* Effect.provide(takes("a"), asleep), "ok")
      assert.strictEqual(yield* takes("a"), "again in 540 s")
      yield* TestClock.adjust("540 seconds")
      assert.strictEqual(yield* takes("a"), "ok")
    })
  )

  check(
    "take never fails while limits are off",
    { RATE_LIMITS: "off" },
    Effect.gen(function* () {
      for (let time = 0; time < 9; time++) assert.strictEqual(yield* takes("a"), "ok")
    })
  )

  check(
    "take writes one row, and none if it fails",
    {},
    Effect.gen(function* () {
      const sql = yield* SqlStorage
      const changes = () => Number([...sql.exec("SELECT total_changes()").raw()][0]?.[0])
      const before = changes()
      yield* takes("a")
      yield* takes("a")
      assert.strictEqual(changes() - before, 2)
      yield* takes("a")
      assert.strictEqual(changes() - before, 2)
    })
  )
})
