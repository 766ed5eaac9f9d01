import type { SqlStorage } from "../../../services/host/SqlStorage.ts"
import { isByCid, numberClusters } from "../../repo/clustersByCid.ts"

/** What a `CREATE … IF NOT EXISTS` makes. */
const nameOf = (statement: string): string => /IF NOT EXISTS (\w+)/.exec(statement)?.[1] ?? ""

/**
 * Makes those of an object's tables that are missing, and brings old ones forward.
 *
 * What is there is asked once: an object makes sure of its tables each time it wakes, and thirty statements that find
 * nothing to do would take a good part of that.
 */
export const makeTables = (sql: SqlStorage["Service"], statements: ReadonlyArray<string>): void => {
  const there = new Map<string, string>()
  for (const [name, statement] of sql.exec("SELECT name, sql FROM sqlite_master").raw()) {
    there.set(String(name), String(statement))
  }
  if (isByCid(there.get("cluster") ?? "")) numberClusters(sql)
  for (const statement of statements) if (!there.has(nameOf(statement))) sql.exec(statement)
}
