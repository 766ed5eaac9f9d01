import { assert, describe, it } from "@effect/vitest"
import { bytesOf, type SqlStorage } from "../../src/services/host/SqlStorage.ts"

type Sql = SqlStorage["Service"]

/** What every SqlStorage guarantees; `withStorage` runs the body on an empty database. */
export const sqlStorageContract = (
  name: string,
  withStorage: (body: (sql: Sql) => void) => Promise<void>
) => {
  const check = (title: string, body: (sql: Sql) => void) => it(title, () => withStorage(body))
  const keys = (sql: Sql) =>
    sql
      .exec<{ k: number }>("SELECT k FROM t ORDER BY k")
      .toArray()
      .map((row) => row.k)
  const makeTable = (sql: Sql, ...values: Array<number>) => {
    sql.exec("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)")
    for (const value of values) sql.exec("INSERT INTO t (k) VALUES (?)", value)
  }

  describe(`SqlStorage over ${name}`, () => {
    check("exec runs several statements in one string", (sql) => {
      sql.exec("CREATE TABLE a (k INTEGER PRIMARY KEY); CREATE TABLE b (k TEXT)")
      sql.exec("INSERT INTO b VALUES (?)", "x")
      assert.deepStrictEqual(sql.exec("SELECT k FROM b").toArray(), [{ k: "x" }])
    })

    check("exec returns text, integers above 32 bits, fractions, null and bytes", (sql) => {
      sql.exec("CREATE TABLE v (a TEXT, b INTEGER, c REAL, d TEXT, e BLOB)")
      const bytes = new Uint8Array([0, 255, 7, 9]).subarray(1, 3)
      sql.exec(
        "INSERT INTO v VALUES (?, ?, ?, ?, ?)",
        "é; ?",
        1_760_000_000_000_001,
        0.5,
        null,
        bytes
      )
      const [row] = [...sql.exec("SELECT * FROM v").raw()]
      assert.deepStrictEqual(row?.slice(0, 4), ["é; ?", 1_760_000_000_000_001, 0.5, null])
      assert.deepStrictEqual([...bytesOf(row?.[4])], [255, 7])
    })

    check("exec accepts an ArrayBuffer as a blob", (sql) => {
      makeTable(sql)
      sql.exec("INSERT INTO t VALUES (1, ?)", new Uint8Array([1, 2, 3]).buffer)
      const [row] = sql.exec<{ v: ArrayBuffer }>("SELECT v FROM t").toArray()
      assert.deepStrictEqual([...bytesOf(row?.v)], [1, 2, 3])
    })

    check("exec writes at once, whether or not the cursor is read", (sql) => {
      makeTable(sql, 1)
      sql.exec("INSERT INTO t (k) VALUES (2)")
      sql.exec("UPDATE t SET k = 5 WHERE k = 1")
      assert.deepStrictEqual(keys(sql), [2, 5])
    })

    check("rowsWritten is the number of rows that a statement wrote", (sql) => {
      makeTable(sql, 1, 2, 3)
      assert.strictEqual(sql.exec("DELETE FROM t WHERE k >= 2").rowsWritten, 2)
      assert.strictEqual(sql.exec("DELETE FROM t WHERE k = 9").rowsWritten, 0)
      const returning = sql.exec<{ k: number }>("INSERT INTO t (k) VALUES (7) RETURNING k")
      assert.deepStrictEqual(returning.toArray(), [{ k: 7 }])
      assert.strictEqual(returning.rowsWritten, 1)
    })

    check("two cursors of the same statement are independent", (sql) => {
      makeTable(sql, 1, 2, 3)
      const read = () => sql.exec<{ k: number }>("SELECT k FROM t ORDER BY k")[Symbol.iterator]()
      const [one, two] = [read(), read()]
      assert.strictEqual(one.next().value?.k, 1)
      assert.strictEqual(two.next().value?.k, 1)
      assert.strictEqual(one.next().value?.k, 2)
      assert.strictEqual(one.next().value?.k, 3)
      assert.isTrue(one.next().done)
      assert.strictEqual(two.next().value?.k, 2)
    })

    check("a statement can be used again after its cursor was half read", (sql) => {
      makeTable(sql, 1, 2, 3)
      for (const row of sql.exec<{ k: number }>("SELECT k FROM t ORDER BY k")) {
        assert.strictEqual(row.k, 1)
        break
      }
      assert.deepStrictEqual(keys(sql), [1, 2, 3])
    })

    check("transaction commits and returns the body's result", (sql) => {
      makeTable(sql)
      const answer = sql.transaction(() => {
        sql.exec("INSERT INTO t (k) VALUES (1)")
        return "done"
      })
      assert.strictEqual(answer, "done")
      assert.deepStrictEqual(keys(sql), [1])
    })

    check(
      "transaction rolls everything back when the body throws, and rethrows the error",
      (sql) => {
        makeTable(sql, 1)
        const failure = new Error("stop")
        const attempt = () =>
          sql.transaction(() => {
            sql.exec("DELETE FROM t")
            throw failure
          })
        assert.throws(attempt, failure)
        assert.deepStrictEqual(keys(sql), [1])
      }
    )

    check("an inner transaction rolls back alone", (sql) => {
      makeTable(sql)
      sql.transaction(() => {
        sql.exec("INSERT INTO t (k) VALUES (1)")
        assert.throws(() =>
          sql.transaction(() => {
            sql.exec("INSERT INTO t (k) VALUES (2)")
            throw new Error("inner")
          })
        )
        sql.transaction(() => sql.exec("INSERT INTO t (k) VALUES (3)").rowsWritten)
      })
      assert.deepStrictEqual(keys(sql), [1, 3])
    })

    check(
      "exec throws for an invalid statement and a violated constraint, and continues",
      (sql) => {
        makeTable(sql, 1)
        assert.throws(() => sql.exec("SELEC"))
        assert.throws(() => sql.exec("INSERT INTO t (k) VALUES (1)"))
        sql.exec("INSERT INTO t (k) VALUES (2)")
        assert.deepStrictEqual(keys(sql), [1, 2])
      }
    )

    check(
      "a reader may stop before the last row, and the table can change and be dropped",
      (sql) => {
        makeTable(sql, 1, 2, 3)
        for (const [k] of sql.exec("SELECT k FROM t ORDER BY k").raw()) if (k === 2) break
        for (const { k } of sql.exec<{ k: number }>("SELECT k FROM t")) if (k === 1) break
        sql.transaction(() => sql.exec("INSERT INTO t (k) VALUES (4)"))
        assert.deepStrictEqual(keys(sql), [1, 2, 3, 4])
      }
    )

    check("size grows with the stored data", (sql) => {
      makeTable(sql)
      const before = sql.size()
      sql.exec("INSERT INTO t VALUES (1, ?)", new Uint8Array(200_000))
      assert.isAbove(sql.size(), before + 190_000)
    })
  })
}
