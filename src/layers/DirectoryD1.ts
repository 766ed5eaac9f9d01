import { D1Client } from "@effect/sql-d1/D1Client"
import * as D1 from "@effect/sql-d1/D1Client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Directory } from "../services/Directory.ts"
import { make } from "./DirectorySql.ts"

/** The directory in a D1 database. */
export const layer = (db: D1Database): Layer.Layer<Directory> =>
  Layer.effect(
    Directory,
    Effect.map(D1Client, (sql) => make({ sql, batch: (statements) => sql.batch(statements) }))
  ).pipe(Layer.provide(D1.layer({ db })), Layer.orDie)
