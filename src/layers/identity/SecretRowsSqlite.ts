import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Row } from "../../core/backups/rows.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import { SecretRows } from "../../services/identity/keys/SecretRows.ts"
import { secretTables } from "../../services/identity/keys/rewrapRows.ts"
import { rowOf } from "../backups/AccountRowsSqlite.ts"
import { mostOlderKeys } from "../sessions/KeptKeysSqlite.ts"

/** The account's row goes through the AccountStore, which keeps it in memory. */
export const layer: Layer.Layer<SecretRows, never, SqlStorage> = Layer.effect(
  SecretRows,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const rowsOf = (table: string): ReadonlyArray<Row> =>
      sql.exec(`SELECT * FROM ${table}`).toArray().map(rowOf)

    return SecretRows.of({
      read: () => Object.fromEntries(secretTables.map((table) => [table, rowsOf(table)])),
      replace: ({ authenticator: before = [] }, { authenticator = [], older_key: older = [] }) =>
        sql.transaction(() => {
          authenticator.forEach(({ in_force: place = null, secret = null }, at) => {
            sql.exec(
              "UPDATE authenticator SET secret = ? WHERE in_force = ? AND secret = ?",
              secret,
              place,
              before[at]?.["secret"] ?? null
            )
          })
          for (const { master = null, made_at: at = null, until = null, sealed = null } of older) {
            sql.exec(
              "INSERT OR REPLACE INTO older_key (master, made_at, until, sealed) VALUES (?, ?, ?, ?)",
              master,
              at,
              until,
              sealed
            )
          }
          sql.exec(
            `DELETE FROM older_key WHERE master IN
              (SELECT master FROM older_key ORDER BY made_at DESC LIMIT -1 OFFSET ?)`,
            mostOlderKeys
          )
        })
    })
  })
)
