import type { SqlStorage } from "../../../services/host/SqlStorage.ts"
import { schemaVersion, StoredByNewerVersion } from "../../../core/host/schemaVersion.ts"
import { isByCid, numberClusters } from "../../repo/clustersByCid.ts"
import type { Bounds } from "./bounds.ts"

/** One row; data without it is of version 1. */
const versionTable = `CREATE TABLE IF NOT EXISTS schema_version (
  one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL
)`

/** Refuses data of a newer version, and notes this one where the data has none or an older one. */
const noteVersion = (sql: SqlStorage["Service"], isThere: boolean): void => {
  if (!isThere) sql.exec(versionTable)
  const [row] = sql.exec<{ version: number }>("SELECT version FROM schema_version").toArray()
  const found = row?.version ?? 0
  if (found > schemaVersion) throw new StoredByNewerVersion(found)
  if (found < schemaVersion) {
    sql.exec("INSERT OR REPLACE INTO schema_version (one, version) VALUES (1, ?)", schemaVersion)
  }
}

/** What a `CREATE … IF NOT EXISTS` makes. */
const nameOf = (statement: string): string => /IF NOT EXISTS (\w+)/.exec(statement)?.[1] ?? ""

/**
 * Makes those of an object's tables that are missing, and brings old ones forward; throws StoredByNewerVersion.
 *
 * What is there is asked once: an object makes sure of its tables each time it wakes, and thirty statements that find
 * nothing to do would take a good part of that.
 */
export const makeTables = (sql: SqlStorage["Service"], statements: ReadonlyArray<string>): void => {
  const there = new Map<string, string>()
  for (const [name, statement] of sql.exec("SELECT name, sql FROM sqlite_master").raw()) {
    there.set(String(name), String(statement))
  }
  noteVersion(sql, there.has("schema_version"))
  if (isByCid(there.get("cluster") ?? "")) numberClusters(sql)
  for (const statement of statements) if (!there.has(nameOf(statement))) sql.exec(statement)
}

/** What bounds this table, which every object has. */
export const bounds: Bounds = {
  schema_version: {
    filledBy: "the server",
    bound: "one row an object",
    bytes: 1024,
    per: "account"
  }
}
