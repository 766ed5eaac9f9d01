import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import { type Database, violatedColumn, withTables } from "./sqlTables.ts"

/** The one database of the host, which all its tables share: D1, or node:sqlite with the same SQL. */
export class HostDatabase extends Context.Service<HostDatabase, Database>()(
  "nacre/layers/HostDatabase"
) {}

/** Ways to run the queries of one layer, whose tables are made by the first that misses them. */
export const queriesOver = <E>(
  database: Database,
  tables: ReadonlyArray<string>,
  unavailable: (operation: string) => (cause: SqlError) => E
) => {
  /** As it is, for a layer that looks into the error. */
  const prepared = <A>(query: Effect.Effect<A, SqlError>) => withTables(database, tables, query)
  /** A query of which the second run would answer otherwise: whether a failed one was done, nobody knows. */
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
