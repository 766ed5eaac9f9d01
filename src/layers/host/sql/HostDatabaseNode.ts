import { make as makeClient } from "@effect/sql-sqlite-do/SqliteClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"
import { HostDatabase } from "./HostDatabase.ts"
import { open } from "./SqlStorageNode.ts"

/** Prepared statements that are kept, by their text. */
const mostKept = 500

/** Prepares each text once; the host's statements are run to their end at once. */
const preparer = (database: DatabaseSync) => {
  const kept = new Map<string, StatementSync>()
  return (query: string): StatementSync => {
    const known = kept.get(query)
    if (known !== undefined) return known
    const statement = database.prepare(query)
    if (kept.size < mostKept) kept.set(query, statement)
    return statement
  }
}

/** The part of a Durable Object's `sql` that the SQL client uses, over `node:sqlite`. */
const storageOf = (prepare: (query: string) => StatementSync) => ({
  exec: (query: string, ...bindings: Array<SQLInputValue>) => {
    const statement = prepare(query)
    const columnNames = statement.columns().map(({ name }) => name)
    const rows = columnNames.length === 0 ? [] : statement.all(...bindings)
    if (columnNames.length === 0) statement.run(...bindings)
    return { columnNames, raw: () => rows.map((row) => Object.values(row)).values() }
  }
})

const inTransaction = (database: DatabaseSync, body: () => Array<Array<object>>) => {
  database.exec("BEGIN")
  try {
    const result = body()
    database.exec("COMMIT")
    return result
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK")
    throw error
  }
}

const makeOver = Effect.fnUntraced(function* (database: DatabaseSync) {
  // SAFETY: the client calls only `exec` of the storage, and only these two methods of its cursor.
  const prepare = preparer(database)
  const db = storageOf(prepare) as unknown as globalThis.SqlStorage
  const sql = yield* makeClient({ db })
  return HostDatabase.of({
    sql,
    size: Effect.map(
      sql<{
        bytes: number
      }>`SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size`,
      ([row]) => row?.bytes ?? 0
    ),
    batch: (statements) =>
      Effect.try({
        try: () =>
          inTransaction(database, () =>
            statements.map((statement) => {
              const [text, bindings] = statement.compile()
              // SAFETY: the host's statements bind only text, numbers and null.
              return prepare(text).all(...(bindings as Array<SQLInputValue>))
            })
          ),
        catch: (cause) => new SqlError({ reason: new UnknownError({ cause, operation: "batch" }) })
      })
  })
})

/** An open database, which the caller closes. */
export const over = (database: DatabaseSync): Layer.Layer<HostDatabase> =>
  Layer.effect(HostDatabase, makeOver(database)).pipe(Layer.provide(Reactivity.layer))

/** A database in a file or in memory (`":memory:"`), with the same SQL as D1. */
export const layer = (path: string): Layer.Layer<HostDatabase> =>
  Layer.effect(
    HostDatabase,
    Effect.acquireRelease(
      Effect.sync(() => open(path)),
      (database) => Effect.sync(() => database.close())
    ).pipe(Effect.flatMap(makeOver))
  ).pipe(Layer.provide(Reactivity.layer))
