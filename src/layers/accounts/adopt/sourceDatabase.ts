import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { pathToFileURL } from "node:url"
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import { openReadOnly } from "../../host/sql/SqlStorageNode.ts"

/** A row of another server's database. */
export type SourceRow = Readonly<Record<string, unknown>>

/** Another server's database, which is never written to. */
export interface SourceDatabase {
  rows(query: string, ...bindings: ReadonlyArray<SQLInputValue>): IterableIterator<SourceRow>
  /** The columns of a table; none if there is no such table. */
  columns(table: string): ReadonlySet<string>
  close(): void
}

const size = (path: string): number => (existsSync(path) ? statSync(path).size : 0)

/** What changes when somebody writes to a database. */
export const stateOf = (path: string): string =>
  [path, `${path}-wal`]
    .map((file) => (existsSync(file) ? `${statSync(file).size}:${statSync(file).mtimeMs}` : "-"))
    .join(" ")

const over = (database: DatabaseSync, close: () => void): SourceDatabase => ({
  rows: (query, ...bindings) => database.prepare(query).iterate(...bindings),
  columns: (table) =>
    new Set(
      database
        .prepare("SELECT name FROM pragma_table_info(?)")
        .all(table)
        .map(({ name }) => String(name))
    ),
  close
})

/**
 * Opens another server's database and leaves its folder as it is.
 *
 * A journal that was not merged (the server was killed) would be merged by opening it, so such a
 * database is copied first.
 */
export const openSource = (path: string): SourceDatabase => {
  if (size(`${path}-wal`) === 0) {
    const url = pathToFileURL(path)
    url.searchParams.set("immutable", "1")
    const database = openReadOnly(url)
    return over(database, () => database.close())
  }
  const folder = mkdtempSync(join(tmpdir(), "nacre-adopt-"))
  const copy = join(folder, basename(path))
  copyFileSync(path, copy)
  copyFileSync(`${path}-wal`, `${copy}-wal`)
  const database = openReadOnly(copy)
  return over(database, () => {
    database.close()
    rmSync(folder, { recursive: true, force: true })
  })
}

/** A text of a row; undefined for null. */
export const textOf = (row: SourceRow, column: string): string | undefined => {
  const value = row[column]
  return value === null || value === undefined ? undefined : String(value)
}

/** The milliseconds of a time in a row; undefined for null or an invalid time. */
export const millisOf = (row: SourceRow, column: string): number | undefined => {
  const millis = Date.parse(textOf(row, column) ?? "")
  return Number.isNaN(millis) ? undefined : millis
}

/** A column's JSON object; an empty one for anything else. */
export const parsed = (text: string | undefined): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text ?? "")
    return typeof value === "object" && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : {}
  } catch {
    return {}
  }
}
