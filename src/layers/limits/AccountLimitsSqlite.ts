import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AccountLimits } from "../../services/limits/AccountLimits.ts"
import { Config } from "../../services/host/Config.ts"
import { exceededBy, takeFrom, type Windows } from "../../services/limits/Limiter.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** One row for each key, with the windows of its limits; taking a point updates it. */
export const tables: ReadonlyArray<string> = [
  "CREATE TABLE IF NOT EXISTS spent (key TEXT PRIMARY KEY, windows TEXT NOT NULL) WITHOUT ROWID"
]

/** An account's limits in the object's SQLite. */
export const layer: Layer.Layer<AccountLimits, never, SqlStorage | Config> = Layer.effect(
  AccountLimits,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const { rateLimits } = yield* Config

    const windowsOf = (key: string): Windows | undefined => {
      const query = "SELECT windows FROM spent WHERE key = ?"
      const [row] = sql.exec<{ windows: string }>(query, key).toArray()
      // SAFETY: only the code below writes the column.
      return row === undefined ? undefined : (JSON.parse(row.windows) as Windows)
    }

    return AccountLimits.of({
      take: Effect.fn("AccountLimits.take")(function* (rule, part) {
        if (rateLimits === "off") return
        const key = part === undefined ? rule.key : `${rule.key} ${part}`
        const now = yield* Clock.currentTimeMillis
        const taken = takeFrom(windowsOf(key), 1, rule.windows, now)
        if ("exceeded" in taken) return yield* exceededBy(taken.exceeded, now)
        sql.exec(
          "INSERT INTO spent VALUES (?, ?) ON CONFLICT DO UPDATE SET windows = excluded.windows",
          key,
          JSON.stringify(taken.windows)
        )
      })
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  spent: {
    filledBy: "its owner",
    bound: "one row a limit",
    bytes: 32 * 1024,
    per: "account"
  }
})
