import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { HostDatabase } from "../../src/layers/host/sql/HostDatabase.ts"
import * as HostDatabaseD1 from "../../src/layers/host/sql/HostDatabaseD1.ts"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import {
  type Fragment,
  identifier,
  joined,
  literal,
  sqlOver
} from "../../src/layers/host/sql/statement.ts"

const sql = sqlOver(() => Effect.succeed([]))

const written = ({ text, values }: Fragment) => [text, values]

describe("a statement of the host's database", () => {
  it("a statement binds each value at its place, also those of enclosed fragments", () => {
    const part = sql`b = ${2} AND c = ${null}`
    assert.deepStrictEqual(
      written(sql`SELECT * FROM t WHERE a = ${"1"} AND (${part}) LIMIT ${3}`),
      ["SELECT * FROM t WHERE a = ? AND (b = ? AND c = ?) LIMIT ?", ["1", 2, null, 3]]
    )
    assert.deepStrictEqual(written(sql`${part}`), [part.text, part.values])
  })

  it("a statement never writes a value into its text", () => {
    const bytes = new Uint8Array([1])
    const [text, values] = written(sql`VALUES (${"'; DROP TABLE t; --"}, ${bytes})`)
    assert.strictEqual(text, "VALUES (?, ?)")
    assert.deepStrictEqual(values, ["'; DROP TABLE t; --", bytes])
  })

  it("a statement quotes the name of a table or column", () => {
    assert.strictEqual(
      sql`SELECT ${identifier("a")} FROM ${identifier('t" --')}`.text,
      'SELECT "a" FROM "t"" --"'
    )
  })

  it("joins values and fragments", () => {
    assert.deepStrictEqual(written(joined(["a", sql`(${1}, ${2})`, literal("c")])), [
      "?, (?, ?), c",
      ["a", 1, 2]
    ])
    assert.strictEqual(joined([literal("a"), literal("b")], " OR ").text, "a OR b")
    assert.deepStrictEqual(written(joined([])), ["", []])
  })
})

describe("a host database on Node", () => {
  const run = Effect.provide(HostDatabaseNode.layer(":memory:"))

  it.effect("runs statements alone, and a batch as a whole or not at all", () =>
    Effect.gen(function* () {
      const { sql, batch } = yield* HostDatabase
      yield* sql`CREATE TABLE t (k TEXT PRIMARY KEY)`
      assert.deepStrictEqual(
        yield* batch([sql`INSERT INTO t VALUES (${"a"})`, sql`SELECT k FROM t`]),
        [[], [{ k: "a" }]]
      )
      const failed = yield* Effect.flip(
        batch([sql`INSERT INTO t VALUES (${"b"})`, sql`INSERT INTO t VALUES (${"a"})`])
      )
      assert.strictEqual(failed.operation, "batch")
      assert.deepStrictEqual(yield* sql`SELECT k FROM t`, [{ k: "a" }])
      assert.deepStrictEqual(yield* sql`SELECT k FROM t WHERE k IN (${joined([])})`, [])
      assert.deepStrictEqual(yield* batch([]), [])
    }).pipe(run)
  )
})

describe("a host database in D1", () => {
  it.effect("asks nothing for a batch of nothing", () =>
    Effect.gen(function* () {
      const { batch } = yield* HostDatabase
      assert.deepStrictEqual(yield* batch([]), [])
      // SAFETY: nothing is called.
    }).pipe(Effect.provide(Layer.fresh(HostDatabaseD1.layer({} as D1Database))))
  )
})
