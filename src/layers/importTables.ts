import { blobCids } from "../lexicon/Lexicons.ts"
import type { Block } from "../repo/car.ts"
import type { Cluster } from "../repo/mst/clusters.ts"
import { backlinkOf } from "../services/repo/backlink.ts"
import type { SqlStorage } from "../services/SqlStorage.ts"
import * as BlobRows from "./blobRows.ts"
import * as BlockStore from "./BlockStoreSqlite.ts"
import * as Records from "./RecordsSqlite.ts"

type Sql = SqlStorage["Service"]

/** The tables that an import writes under other names, and then puts in place. */
const shadowed = ["record", "backlink", "cluster", "blob_ref"]

const statements = [...Records.tables, ...BlockStore.tables, ...BlobRows.tables].flatMap((table) =>
  shadowed
    .filter((name) => table.includes(`TABLE IF NOT EXISTS ${name} (`))
    .map((name) => table.replace(` ${name} (`, ` import_${name} (`))
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

/** A table cannot be dropped while any cursor of the object stands open; its rows can be deleted then, at a price. */
const drop = (sql: Sql, name: string): void => {
  try {
    sql.exec(`DROP TABLE ${name}`)
  } catch {
    sql.exec(`DELETE FROM ${name}`)
  }
}

/** Makes the tables, empty. */
export const create = (sql: Sql): void => {
  clear(sql)
  for (const statement of statements) sql.exec(statement)
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
const fewRows = 40

const isSmall = (sql: Sql, name: string): boolean =>
  sql.exec(`SELECT 1 FROM ${name} LIMIT ${fewRows + 1}`).toArray().length <= fewRows

/** Puts the tables in place, inside a transaction; those that they replace are left to be cleared. */
export const swap = (sql: Sql, rev: string): void => {
  for (const name of shadowed) {
    if (isSmall(sql, name) && isSmall(sql, `import_${name}`)) {
      sql.exec(`DELETE FROM ${name}`)
      sql.exec(`INSERT INTO ${name} SELECT * FROM import_${name}`)
    } else {
      // A name that no earlier import has used: what those left may still be there.
      sql.exec(`ALTER TABLE ${name} RENAME TO import_${name}_${rev}`)
      sql.exec(`ALTER TABLE import_${name} RENAME TO ${name}`)
    }
  }
}
