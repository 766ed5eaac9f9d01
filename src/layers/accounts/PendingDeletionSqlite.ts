import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type HeldDeletion, PendingDeletion } from "../../services/accounts/PendingDeletion.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** One row while a deletion is held back. */
export const tables: ReadonlyArray<string> = [
  "CREATE TABLE IF NOT EXISTS held_deletion (one INTEGER PRIMARY KEY CHECK (one = 1), was_active INTEGER NOT NULL)"
]

/** Keeps the row in the object's SQLite. */
export const layer: Layer.Layer<PendingDeletion, never, SqlStorage> = Layer.effect(
  PendingDeletion,
  Effect.map(SqlStorage, (sql) =>
    PendingDeletion.of({
      get: (): HeldDeletion | undefined => {
        const query = "SELECT was_active FROM held_deletion"
        const [row] = sql.exec<{ was_active: number }>(query).toArray()
        return row === undefined ? undefined : { wasActive: row.was_active === 1 }
      },
      set: (held) => {
        if (held === undefined) sql.exec("DELETE FROM held_deletion")
        else {
          const query = "INSERT OR REPLACE INTO held_deletion (one, was_active) VALUES (1, ?)"
          sql.exec(query, held.wasActive ? 1 : 0)
        }
      }
    })
  )
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  held_deletion: {
    filledBy: "its owner",
    bound: "one row",
    bytes: 1024,
    per: "account"
  }
})
