import { D1Client } from "@effect/sql-d1/D1Client"
import * as D1 from "@effect/sql-d1/D1Client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import { HostDatabase } from "./HostDatabase.ts"

/** A D1 database as the host's; sends no query yet. */
export const layer = (db: D1Database): Layer.Layer<HostDatabase> =>
  Layer.effect(
    HostDatabase,
    Effect.map(D1Client, (sql) => ({
      sql,
      batch: (statements) => sql.batch(statements),
      // D1 reports it with every answer, which the client leaves out.
      size: Effect.tryPromise({
        try: async () => (await db.prepare("SELECT 1").all()).meta.size_after,
        catch: (cause) => new SqlError({ reason: new UnknownError({ cause, operation: "size" }) })
      })
    }))
  ).pipe(Layer.provide(D1.layer({ db })), Layer.orDie)
