import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DatabaseSync, StatementSync } from "node:sqlite"
import { HostDatabase } from "./HostDatabase.ts"
import { open } from "./SqlStorageNode.ts"
import type { Database } from "./sqlTables.ts"
import { type Fragment, SqlError, sqlOver } from "./statement.ts"

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

const ask = <A>(operation: string, query: () => A): Effect.Effect<A, SqlError> =>
  Effect.try({ try: query, catch: (cause) => new SqlError({ operation, cause }) })

const makeOver = (database: DatabaseSync): Database => {
  const prepare = preparer(database)
  // SAFETY: SQLite returns a row as an object.
  const run = ({ text, values }: Fragment) => prepare(text).all(...values) as Array<object>
  const sql = sqlOver((statement) => ask("execute", () => run(statement)))
  return {
    sql,
    size: Effect.map(
      sql<{
        bytes: number
      }>`SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size`,
      ([row]) => row?.bytes ?? 0
    ),
    batch: (statements) => ask("batch", () => inTransaction(database, () => statements.map(run)))
  }
}

/** An open database, which the caller closes. */
export const over = (database: DatabaseSync): Layer.Layer<HostDatabase> =>
  Layer.sync(HostDatabase, () => makeOver(database))

/** A database in a file or in memory (`":memory:"`), with the same SQL as D1. */
export const layer = (path: string): Layer.Layer<HostDatabase> =>
  Layer.effect(
    HostDatabase,
    Effect.acquireRelease(
      Effect.sync(() => open(path)),
      (database) => Effect.sync(() => database.close())
    ).pipe(Effect.map(makeOver))
  )
