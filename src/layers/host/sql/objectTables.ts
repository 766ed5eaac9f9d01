import type { SqlStorage } from "../../../services/host/SqlStorage.ts"
import { schemaVersion, StoredByNewerVersion } from "../../../core/host/schemaVersion.ts"
import { isByCid, numberClusters } from "../../repo/clustersByCid.ts"
import type { Bounds } from "./bounds.ts"

/** One row; data without it has version 1. */
const versionTable = `CREATE TABLE IF NOT EXISTS schema_version (
  one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL
)`

/** Rejects data of a newer version, and stores this one for new or older data. */
const noteVersion = (sql: SqlStorage["Service"], isThere: boolean): void => {
  if (!isThere) sql.exec(versionTable)
  const [row] = sql.exec<{ version: number }>("SELECT version FROM schema_version").toArray()
  const found = row?.version ?? 0
  if (found > schemaVersion) throw new StoredByNewerVersion(found)
  if (found < schemaVersion) {
    sql.exec("INSERT OR REPLACE INTO schema_version (one, version) VALUES (1, ?)", schemaVersion)
  }
}

/** The name that a `CREATE … IF NOT EXISTS` creates. */
const nameOf = (statement: string): string => /IF NOT EXISTS (\w+)/.exec(statement)?.[1] ?? ""

/**
 * Creates an object's missing tables and migrates old ones; throws StoredByNewerVersion.
 *
 * Lists existing tables once: objects check their tables each time they wake, and thirty needless
 * statements would take much of that time.
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

/** The version and the whole schema, in one statement; undefined without this version's table. */
const schemaOf = (sql: SqlStorage["Service"]): string | undefined => {
  try {
    const [row] = sql
      .exec<{ version: number; schema: string }>(
        "SELECT version, (SELECT group_concat(sql) FROM sqlite_master WHERE name NOT GLOB '_cf_*') AS schema FROM schema_version"
      )
      .toArray()
    return row?.version === schemaVersion ? row.schema : undefined
  } catch {
    // Data of the first version has no such table.
    return undefined
  }
}

/** The schemas that accounts of this isolate had when they lacked nothing. */
const complete = new Set<string>()

/** More than accounts of one version can differ in, since they got the same tables in any order. */
const mostSchemas = 16

/** `makeTables` for an account that exists: most have the same schema as one before. */
export const checkTables = (
  sql: SqlStorage["Service"],
  statements: ReadonlyArray<string>
): void => {
  if (complete.has(schemaOf(sql) ?? "")) return
  makeTables(sql, statements)
  const schema = schemaOf(sql)
  if (schema !== undefined && complete.size < mostSchemas) complete.add(schema)
}

/** The limits of this table, which every object has. */
export const bounds = (): Bounds => ({
  schema_version: {
    filledBy: "the server",
    bound: "one row an object",
    bytes: 1024,
    per: "account"
  }
})
