import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import { type Database, violatedColumn, withTables } from "./sqlTables.ts"

/** The host's database, with all its tables: D1, or node:sqlite with the same SQL. */
export class HostDatabase extends Context.Service<HostDatabase, Database>()(
  "nacre/layers/HostDatabase"
) {}

/** Runs the queries of one layer, and creates its tables when the first one fails without them. */
export const queriesOver = <E>(
  database: Database,
  tables: ReadonlyArray<string>,
  unavailable: (operation: string) => (cause: SqlError) => E
) => {
  /** Keeps the error, for a layer that reads it. */
  const prepared = <A>(query: Effect.Effect<A, SqlError>) => withTables(database, tables, query)
  /** A query that must not run twice: nobody knows whether a failed one took effect. */
  const once = <A>(operation: string, query: Effect.Effect<A, SqlError>) =>
    Effect.mapError(prepared(query), unavailable(operation))
  /** A query that may run twice. */
  const repeatable = <A>(operation: string, query: Effect.Effect<A, SqlError>) =>
    prepared(query).pipe(
      Effect.retry({ times: 1, while: (error) => violatedColumn(error) === undefined }),
      Effect.mapError(unavailable(operation))
    )
  return { prepared, once, repeatable }
}
