import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Statement } from "effect/sql/Statement"

/** A host database: D1, or node:sqlite with the same SQL. */
export interface Database {
  readonly sql: SqlClient
  /** Runs statements in one transaction and returns the rows of each. */
  batch(
    statements: ReadonlyArray<Statement<object>>
  ): Effect.Effect<ReadonlyArray<ReadonlyArray<object>>, SqlError>
  /** The database's size in bytes, as the platform reports it. */
  readonly size: Effect.Effect<number, SqlError>
}

/** The messages of an error and its causes: drivers describe failures only in words. */
const textOf = (error: unknown): string => {
  const texts: Array<string> = []
  let at = error
  for (let depth = 0; depth < 6 && at instanceof Error; depth++) {
    texts.push(at.message)
    at = at.cause
  }
  return texts.join("\n")
}

/** The column (`table.column`) whose uniqueness a statement violated. */
export const violatedColumn = (error: SqlError): string | undefined =>
  /UNIQUE constraint failed: ([a-z_]+\.[a-z_]+)/.exec(textOf(error))?.[1]

const isMissingTable = (error: SqlError) => textOf(error).includes("no such table")

/**
 * Runs a query; if the tables are missing, creates them and runs it again.
 *
 * Layers never do this while they are built, because a failure would be remembered permanently.
 */
export const withTables = <A>(
  database: Database,
  tables: ReadonlyArray<string>,
  query: Effect.Effect<A, SqlError>
): Effect.Effect<A, SqlError> =>
  Effect.catchIf(query, isMissingTable, () =>
    Effect.andThen(database.batch(tables.map((table) => database.sql.unsafe<object>(table))), query)
  )
