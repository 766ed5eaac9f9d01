import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { code, page, table } from "./page.ts"

const root = join(import.meta.dirname, "../..")

const statement = /CREATE TABLE IF NOT EXISTS (\w+) \(([\s\S]*?)\)( WITHOUT ROWID)?[`"]/g

/** A table that a layer declares. */
export interface StoredTable {
  readonly file: string
  readonly name: string
  readonly columns: ReadonlyArray<string>
}

/**
 * Every table that a layer declares. A table that its file drops belongs to the previous version.
 */
export const storedTables = (): ReadonlyArray<StoredTable> =>
  readdirSync(join(root, "src/layers"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .toSorted()
    .flatMap((file) => {
      const source = readFileSync(join(root, "src/layers", file), "utf8")
      return [...source.matchAll(statement)]
        .filter(([, name]) => !source.includes(`DROP TABLE ${name}`))
        .map(([, name, body]) => ({
          file: `src/layers/${file}`,
          name: name!,
          columns: body!
            .split(",")
            .flatMap((part) => /^\s*([a-z_]+) (?:TEXT|INTEGER|BLOB)\b/.exec(part)?.[1] ?? [])
        }))
    })

/** storage.md: the tables. */
export const storage = (): string =>
  page(
    "Storage",
    "Every SQL table, its columns, and the file that declares it. [Storage](../contribute/storage.md) says what each is for, and what writing it costs.",
    table(
      ["table", "columns", "declared in"],
      storedTables().map(({ file, name, columns }) => [
        code(name),
        columns.map(code).join(", "),
        code(file)
      ])
    )
  )
