import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as SqlStorageFile from "../../src/layers/host/sql/SqlStorageFile.ts"
import { make, open } from "../../src/layers/host/sql/SqlStorageNode.ts"
import { sqlStorageContract } from "./sqlStorage.contract.ts"

sqlStorageContract("node:sqlite", async (body) => {
  const database = open(":memory:")
  try {
    body(make(database))
  } finally {
    database.close()
  }
})

sqlStorageContract("a file of its own", async (body) => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-sql-"))
  const file = SqlStorageFile.make(join(folder, "account.sqlite"))
  try {
    body(file.service)
  } finally {
    file.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

describe("SqlStorageNode", () => {
  it("a table can be dropped after its reader stopped before the last row", () => {
    const database = open(":memory:")
    const sql = make(database)
    sql.exec("CREATE TABLE t (k INTEGER PRIMARY KEY)")
    for (let k = 0; k < 3; k++) sql.exec("INSERT INTO t VALUES (?)", k)
    for (const [k] of sql.exec("SELECT k FROM t ORDER BY k").raw()) if (k === 1) break
    sql.exec("DROP TABLE t")
    database.close()
  })

  it("opening a database prints no warning of Node", async () => {
    const warnings: Array<string> = []
    const note = (warning: Error) => warnings.push(warning.message)
    process.on("warning", note)
    open(":memory:").close()
    await new Promise((resolve) => setImmediate(resolve))
    process.off("warning", note)
    assert.deepStrictEqual(warnings, [])
  })
})
