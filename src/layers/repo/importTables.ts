import { blobCids } from "../../core/lexicon/Lexicons.ts"
import type { Block } from "../../core/repo/car.ts"
import type { SlabStore } from "../../core/repo/import/SlabPile.ts"
import type { Cluster } from "../../core/repo/mst/clusters.ts"
import { backlinkOf } from "../../services/repo/write/backlink.ts"
import { bytesOf, type SqlStorage } from "../../services/host/SqlStorage.ts"
import * as BlobRows from "../blobs/blobRows.ts"
import * as BlockStore from "./BlockStoreSqlite.ts"
import * as Records from "./RecordsSqlite.ts"
import type { Bounds } from "../host/sql/bounds.ts"

type Sql = SqlStorage["Service"]

/**
 * The tables that an import fills under other names and then swaps in, with their SQL statements.
 */
const shadowed = ["record", "backlink", "cluster", "blob_ref"].flatMap((name) =>
  [...Records.tables, ...BlockStore.tables, ...BlobRows.tables]
    .filter((table) => table.includes(`TABLE IF NOT EXISTS ${name} (`))
    .map((table) => [name, table] as const)
)

const left = (sql: Sql): ReadonlyArray<string> =>
  sql
    .exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'import_*'"
    )
    .toArray()
    .map(({ name }) => name)

/** Removes an import's leftovers, or the repo that it replaced. */
export const clear = (sql: Sql): void => {
  for (const name of left(sql)) drop(sql, name)
}

/** Drops a table, which bills nothing; fails while the object has an open cursor. */
const dropped = (sql: Sql, name: string): boolean => {
  try {
    sql.exec(`DROP TABLE ${name}`)
    return true
  } catch {
    return false
  }
}

/** Drops a table, or else deletes its rows, which are billed. */
const drop = (sql: Sql, name: string): void => {
  if (!dropped(sql, name)) sql.exec(`DELETE FROM ${name}`)
}

/** Holds tree nodes that exceed memory while the tree is read and walked. */
const nodes = "import_nodes"

/** Stores slabs of nodes that exceed memory; creates its table with the first. */
export const slabStore = (sql: Sql): SlabStore => ({
  write: (number, slab) => {
    sql.exec(`CREATE TABLE IF NOT EXISTS ${nodes} (number INTEGER PRIMARY KEY, slab BLOB NOT NULL)`)
    sql.exec(`INSERT INTO ${nodes} (number, slab) VALUES (?, ?)`, number, slab)
  },
  read: (number) => {
    const rows = sql.exec(`SELECT slab FROM ${nodes} WHERE number = ?`, number).toArray()
    return bytesOf(rows[0]?.["slab"])
  }
})

/** Drops the nodes once the tree has been read. */
export const dropNodes = (sql: Sql): void => {
  if (left(sql).includes(nodes)) drop(sql, nodes)
}

/** Creates the tables, after `clear` has removed those of an earlier import. */
export const create = (sql: Sql): void => {
  for (const [name, table] of shadowed) sql.exec(table.replace(` ${name} (`, ` import_${name} (`))
}

/** Stores one cluster of the tree. */
export const putCluster = (sql: Sql, cluster: Cluster, rev: string): void =>
  BlockStore.insertCluster(sql, "import_cluster", cluster, rev)

/** Stores a record and its references. */
export const putRecord = (
  sql: Sql,
  path: string,
  { cid, bytes }: Block,
  record: object,
  rev: string
): void => {
  sql.exec(
    "INSERT INTO import_record (path, cid, rev, value) VALUES (?, ?, ?, ?)",
    path,
    cid.bytes,
    rev,
    bytes
  )
  const link = backlinkOf(path, record)
  if (link !== undefined) {
    sql.exec(
      "INSERT INTO import_backlink (collection, subject, path) VALUES (?, ?, ?)",
      link.collection,
      link.subject,
      path
    )
  }
  for (const blob of blobCids(record)) {
    sql.exec("INSERT INTO import_blob_ref (path, cid) VALUES (?, ?)", path, blob)
  }
}

/** A rename bills a row for each table of the object, so copying this few rows is cheaper. */
const fewRows = 25

const isSmall = (sql: Sql, name: string): boolean =>
  sql.exec(`SELECT 1 FROM ${name} LIMIT ${fewRows + 1}`).toArray().length <= fewRows

/** Swaps the tables in, inside a transaction; the old ones are dropped, or left for `clear`. */
export const swap = (sql: Sql, rev: string): void => {
  for (const [name, statement] of shadowed) {
    if (isSmall(sql, `import_${name}`)) {
      if (dropped(sql, name)) sql.exec(statement)
      else sql.exec(`DELETE FROM ${name}`)
      sql.exec(`INSERT INTO ${name} SELECT * FROM import_${name}`)
    } else {
      // A name that no earlier import used: its tables may still exist.
      if (!dropped(sql, name)) sql.exec(`ALTER TABLE ${name} RENAME TO import_${name}_${rev}`)
      sql.exec(`ALTER TABLE import_${name} RENAME TO ${name}`)
    }
  }
}

/** The limits of an import's tables. */
export const bounds = (): Bounds => ({
  "import_…": {
    filledBy: "its owner's import",
    bound: "one import of `IMPORT_LIMIT` at a time; gone ten minutes after it was cut off",
    bytes: 1_000_000_000,
    per: "account"
  }
})
