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

/** The tables that an import writes under other names, and then puts in place; with the statements that make them. */
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

/** Removes what an import has left, or the repo that it took the place of. */
export const clear = (sql: Sql): void => {
  for (const name of left(sql)) drop(sql, name)
}

/** Takes a table away, which bills nothing; not while any cursor of the object stands open. */
const dropped = (sql: Sql, name: string): boolean => {
  try {
    sql.exec(`DROP TABLE ${name}`)
    return true
  } catch {
    return false
  }
}

/** Takes a table away, or at a price its rows. */
const drop = (sql: Sql, name: string): void => {
  if (!dropped(sql, name)) sql.exec(`DELETE FROM ${name}`)
}

/** Holds the tree's nodes while it is read and walked, where memory does not. */
const nodes = "import_nodes"

/** The slabs of nodes that memory has no room for; the table is made with the first. */
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

/** The nodes are not needed any more. */
export const dropNodes = (sql: Sql): void => {
  if (left(sql).includes(nodes)) drop(sql, nodes)
}

/** Makes the tables, once `clear` has taken away what an earlier import left. */
export const create = (sql: Sql): void => {
  for (const [name, table] of shadowed) sql.exec(table.replace(` ${name} (`, ` import_${name} (`))
}

/** Stores a cluster of the tree. */
export const putCluster = (sql: Sql, cluster: Cluster, rev: string): void =>
  BlockStore.insertCluster(sql, "import_cluster", cluster, rev)

/** Stores a record with its references. */
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

/** A renaming bills a row for every table of the object: so many rows are better copied. */
const fewRows = 25

const isSmall = (sql: Sql, name: string): boolean =>
  sql.exec(`SELECT 1 FROM ${name} LIMIT ${fewRows + 1}`).toArray().length <= fewRows

/** Puts the tables in place, inside a transaction; those that they replace are gone, or left to be cleared. */
export const swap = (sql: Sql, rev: string): void => {
  for (const [name, statement] of shadowed) {
    if (isSmall(sql, `import_${name}`)) {
      if (dropped(sql, name)) sql.exec(statement)
      else sql.exec(`DELETE FROM ${name}`)
      sql.exec(`INSERT INTO ${name} SELECT * FROM import_${name}`)
    } else {
      // A name that no earlier import has used: what those left may still be there.
      if (!dropped(sql, name)) sql.exec(`ALTER TABLE ${name} RENAME TO import_${name}_${rev}`)
      sql.exec(`ALTER TABLE import_${name} RENAME TO ${name}`)
    }
  }
}

/** What bounds the tables of an import. */
export const bounds: Bounds = {
  "import_…": {
    filledBy: "its owner's import",
    bound: "one import of `IMPORT_LIMIT` at a time; gone ten minutes after it was cut off",
    bytes: 1_000_000_000,
    per: "account"
  }
}
