import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spanned } from "../../../services/operators/spanned.ts"
import { HostDatabase } from "./HostDatabase.ts"
import { type Fragment, SqlError, sqlOver } from "./statement.ts"

const ask = <A>(operation: string, query: () => Promise<A>): Effect.Effect<A, SqlError> =>
  Effect.tryPromise({ try: query, catch: (cause) => new SqlError({ operation, cause }) })

/** A D1 database as the host's; sends no query yet. */
export const layer = (db: D1Database): Layer.Layer<HostDatabase> => {
  const prepare = ({ text, values }: Fragment) => db.prepare(text).bind(...values)
  return Layer.succeed(HostDatabase, {
    sql: sqlOver(
      spanned("sql.execute")(function* (statement) {
        const { results } = yield* ask("execute", () => prepare(statement).all<object>())
        return results
      })
    ),
    batch: spanned("sql.execute")(function* (statements) {
      // D1 refuses a batch of nothing.
      if (statements.length === 0) return []
      const answers = yield* ask("batch", () => db.batch<object>(statements.map(prepare)))
      return answers.map(({ results }) => results)
    }),
    // D1 reports it with every answer.
    size: Effect.map(
      ask("size", () => db.prepare("SELECT 1").all()),
      ({ meta }) => meta.size_after
    )
  })
}
