import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SqlError } from "effect/sql/SqlError"
import type { Role } from "../../core/operators/roles.ts"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import { OperatorRefused, Operators } from "../../services/operators/Operators.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"
import type { Database } from "../host/sql/sqlTables.ts"

/** One row for each operator. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS operator (
    did TEXT PRIMARY KEY, role TEXT NOT NULL, added_at INTEGER NOT NULL, added_by TEXT NOT NULL
  ) WITHOUT ROWID`
]

/** The most operators of a host. */
export const most = 100

interface Row {
  readonly did: string
  readonly role: Role
  readonly added_at: number
  readonly added_by: string
}

const unavailable = (operation: string) => (cause: SqlError) =>
  new DirectoryUnavailable({ operation, cause })

/** Removes the role of an account that is deleted, also the last admin's: nobody has it any more. */
export const forget = (database: Database, did: string) =>
  queriesOver(database, tables, unavailable).repeatable(
    "forgetOperator",
    database.sql`DELETE FROM operator WHERE did = ${did}`
  )

/** The operators in the host's database. */
export const layer: Layer.Layer<Operators, never, HostDatabase> = Layer.effect(
  Operators,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql } = database
    const { repeatable } = queriesOver(database, tables, unavailable)

    const role = Effect.fn("Operators.role")(function* (did: string) {
      const rows = yield* repeatable(
        "operatorRole",
        sql<Pick<Row, "role">>`SELECT role FROM operator WHERE did = ${did}`
      )
      return rows[0]?.role
    })

    /** True for a row other than the only admin's; the check and the change are one statement. */
    const isSpare = sql`(role <> 'admin' OR (SELECT count(*) FROM operator WHERE role = 'admin') > 1)`

    return Operators.of({
      list: repeatable("operators", sql<Row>`SELECT * FROM operator ORDER BY added_at, did`).pipe(
        Effect.map((rows) =>
          rows.map((row) => ({
            did: row.did,
            role: row.role,
            addedAt: row.added_at,
            addedBy: row.added_by
          }))
        )
      ),
      role,
      set: Effect.fn("Operators.set")(function* (given) {
        const now = yield* Clock.currentTimeMillis
        yield* repeatable(
          "setOperator",
          sql<object>`INSERT INTO operator SELECT ${given.did}, ${given.role}, ${now}, ${given.addedBy}
            WHERE (SELECT count(*) FROM operator WHERE did <> ${given.did}) < ${most}
            ON CONFLICT DO UPDATE
              SET role = excluded.role, added_at = excluded.added_at, added_by = excluded.added_by
              WHERE excluded.role = 'admin' OR operator.role <> 'admin'
                OR (SELECT count(*) FROM operator WHERE role = 'admin') > 1`
        )
        const has = yield* role(given.did)
        if (has === given.role) return
        return yield* new OperatorRefused({ reason: has === undefined ? "too many" : "last admin" })
      }),
      remove: Effect.fn("Operators.remove")(function* (did) {
        if ((yield* role(did)) === undefined) {
          return yield* new OperatorRefused({ reason: "not an operator" })
        }
        yield* repeatable(
          "removeOperator",
          sql<object>`DELETE FROM operator WHERE did = ${did} AND ${isSpare}`
        )
        if ((yield* role(did)) !== undefined) {
          return yield* new OperatorRefused({ reason: "last admin" })
        }
      })
    })
  })
)

/** What bounds this table. */
export const bounds = (): Bounds => ({
  operator: {
    filledBy: "the administrator",
    bound: "100 operators",
    bytes: 100 * 5 * 1024,
    per: "host"
  }
})
