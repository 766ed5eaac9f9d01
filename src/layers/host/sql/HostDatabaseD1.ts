import { D1Client } from "@effect/sql-d1/D1Client"
import * as D1 from "@effect/sql-d1/D1Client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { HostDatabase } from "./HostDatabase.ts"

/** A D1 database as the host's; sends no query yet. */
export const layer = (db: D1Database): Layer.Layer<HostDatabase> =>
  Layer.effect(
    HostDatabase,
    Effect.map(D1Client, (sql) => ({ sql, batch: (statements) => sql.batch(statements) }))
  ).pipe(Layer.provide(D1.layer({ db })), Layer.orDie)
