import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { schemaVersion } from "../../../src/core/host/schemaVersion.ts"
import { accountTables } from "../../../src/layers/host/sql/accountTables.ts"
import * as BlockStoreSqlite from "../../../src/layers/repo/BlockStoreSqlite.ts"
import { writeHead } from "../../../src/layers/repo/RepoHeadSqlite.ts"
import * as ImportTables from "../../../src/layers/repo/importTables.ts"
import { checkTables, makeTables } from "../../../src/layers/host/sql/objectTables.ts"
import { make, open } from "../../../src/layers/host/sql/SqlStorageNode.ts"
import { allClusters } from "../../../src/core/repo/mst/clusters.ts"
import { changeOf } from "../../../src/core/repo/mst/diff.ts"
import { Tree } from "../../../src/core/repo/mst/Tree.ts"
import { BlockStore } from "../../../src/services/repo/BlockStore.ts"
import { Overlay } from "../../../src/services/repo/Overlay.ts"
import { nothingSpent } from "../../../src/services/repo/write/points.ts"
import { SqlStorage } from "../../../src/services/host/SqlStorage.ts"
import { manyRecords, recordCid, treeOf } from "./support.ts"

/** The cluster table of version 0.1. */
const oldTable =
  "CREATE TABLE IF NOT EXISTS cluster (cid BLOB PRIMARY KEY, rev TEXT NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID"

const rev = "3kabcdefghijk"

/** An object's database as version 0.1 left it. */
const leftBy = (tree: Tree) => {
  const sql = make(open(":memory:"))
  sql.exec(oldTable)
  for (const statement of accountTables) if (!statement.includes(" cluster (")) sql.exec(statement)
  for (const { cid, bytes } of allClusters(tree)) {
    sql.exec("INSERT INTO cluster (cid, rev, bytes) VALUES (?, ?, ?)", cid.bytes, rev, bytes)
  }
  const root = tree.root()
  const head = { commit: root, block: root.bytes, rev, root, records: 1, nodes: 1 }
  writeHead(sql, head, nothingSpent, 0)
  return sql
}

const storeOver = (sql: SqlStorage["Service"]) =>
  Effect.runSync(
    BlockStore.pipe(
      Effect.provide(BlockStoreSqlite.layer.pipe(Layer.provide(Layer.succeed(SqlStorage, sql))))
    )
  )

describe("the clusters of version 0.1", () => {
  it("an object of version 0.1 keeps all its clusters and can write after it wakes", () => {
    const tree = treeOf(manyRecords(3000))
    const sql = leftBy(tree)
    makeTables(sql, accountTables)
    const store = storeOver(sql)
    const loaded = Tree.load(store.reader, tree.root())
    assert.deepStrictEqual([...loaded.entries()], [...tree.entries()])
    const next = loaded.put("app.bsky.feed.post/3zzzzzzzzzzzz", recordCid(1))
    sql.transaction(() => store.write(changeOf(loaded, next), rev, new Overlay()))
    const again = Tree.load(store.reader, next.root())
    assert.deepStrictEqual([...again.entries()], [...next.entries()])
    assert.strictEqual(again.root().toString(), next.root().toString())
  })

  it("an object of version 0.1 is migrated after others that lack nothing", () => {
    const others = make(open(":memory:"))
    checkTables(others, accountTables)
    const sql = leftBy(treeOf(manyRecords(10)))
    sql.exec("CREATE TABLE schema_version (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)")
    sql.exec("INSERT INTO schema_version (one, version) VALUES (1, ?)", schemaVersion)
    checkTables(sql, accountTables)
    const schema = (of: typeof sql) =>
      of.exec("SELECT sql FROM sqlite_master WHERE name = 'cluster'").toArray()
    assert.deepStrictEqual(schema(sql), schema(others))
  })

  it("the migration runs once and leaves nothing behind after the object's alarm", () => {
    const sql = leftBy(treeOf(manyRecords(50)))
    makeTables(sql, accountTables)
    const rows = () => sql.exec("SELECT id, cid FROM cluster ORDER BY id").toArray()
    const before = rows()
    makeTables(sql, accountTables)
    assert.deepStrictEqual(rows(), before)
    ImportTables.clear(sql)
    const left = sql.exec("SELECT name FROM sqlite_master WHERE name LIKE '%cluster%'").toArray()
    assert.deepStrictEqual(left, [{ name: "cluster" }])
  })

  it("the migration also handles a repo without records", () => {
    const sql = leftBy(Tree.empty())
    makeTables(sql, accountTables)
    const loaded = Tree.load(storeOver(sql).reader, Tree.empty().root())
    assert.deepStrictEqual([...loaded.entries()], [])
  })
})
