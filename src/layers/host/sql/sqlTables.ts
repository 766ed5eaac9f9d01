import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Statement } from "effect/sql/Statement"

/** A database of the host: D1, or node:sqlite with the same SQL. */
export interface Database {
  readonly sql: SqlClient
  /** Runs statements in one transaction and answers the rows of each. */
  batch(
    statements: ReadonlyArray<Statement<object>>
  ): Effect.Effect<ReadonlyArray<ReadonlyArray<object>>, SqlError>
}

/** The texts of an error and of what caused it: drivers say what failed in words only. */
const textOf = (error: unknown): string => {
  const texts: Array<string> = []
  let at = error
  for (let depth = 0; depth < 6 && at instanceof Error; depth++) {
    texts.push(at.message)
    at = at.cause
  }
  return texts.join("\n")
}

/** The column (`table.column`) whose uniqueness a statement would have broken. */
export const violatedColumn = (error: SqlError): string | undefined =>
  /UNIQUE constraint failed: ([a-z_]+\.[a-z_]+)/.exec(textOf(error))?.[1]

const isMissingTable = (error: SqlError) => textOf(error).includes("no such table")

/**
 * Runs a query; when the tables are not there yet, makes them and runs it again.
 *
 * No layer does this while it is built: a failure then would be remembered for ever.
 */
export const withTables = <A>(
  database: Database,
  tables: ReadonlyArray<string>,
  query: Effect.Effect<A, SqlError>
): Effect.Effect<A, SqlError> =>
  Effect.catchIf(query, isMissingTable, () =>
    Effect.andThen(database.batch(tables.map((table) => database.sql.unsafe<object>(table))), query)
  )
