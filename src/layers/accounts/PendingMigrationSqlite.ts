import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PendingMigration } from "../../services/accounts/PendingMigration.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** One row until the account is first activated here; `until` is in milliseconds. */
export const tables = [
  "CREATE TABLE IF NOT EXISTS arrival (one INTEGER PRIMARY KEY CHECK (one = 1), until INTEGER NOT NULL)"
]

/** Keeps the row in the object's SQLite, and in memory after the first read. */
export const layer = Layer.effect(
  PendingMigration,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    let known: { readonly until: number | undefined } | undefined

    const read = (): number | undefined =>
      sql.exec<{ until: number }>("SELECT until FROM arrival").toArray()[0]?.until

    return PendingMigration.of({
      until: () => (known ??= { until: read() }).until,
      set: (until) =>
        Effect.sync(() => {
          if (until === undefined) sql.exec("DELETE FROM arrival")
          else sql.exec("INSERT OR REPLACE INTO arrival (one, until) VALUES (1, ?)", until)
          known = { until }
        })
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  arrival: {
    filledBy: "a move",
    bound: "one row",
    bytes: 1024,
    per: "account"
  }
})
