import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Preference, Preferences } from "../../services/accounts/Preferences.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** One row a namespace, with all its preferences as JSON. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS preferences (
    namespace TEXT PRIMARY KEY, value TEXT NOT NULL
  ) WITHOUT ROWID`
]

const namespace = "app.bsky"

/** Keeps an account's preferences in the object's SQLite. */
export const layer: Layer.Layer<Preferences, never, SqlStorage> = Layer.effect(
  Preferences,
  Effect.map(SqlStorage, (sql) =>
    Preferences.of({
      get: () => {
        const [row] = sql
          .exec<{ value: string }>("SELECT value FROM preferences WHERE namespace = ?", namespace)
          .toArray()
        // SAFETY: only `put` writes the column.
        return row === undefined ? [] : (JSON.parse(row.value) as ReadonlyArray<Preference>)
      },
      put: (preferences) =>
        Effect.sync(() => {
          sql.exec(
            `INSERT INTO preferences (namespace, value) VALUES (?, ?)
            ON CONFLICT (namespace) DO UPDATE SET value = excluded.value`,
            namespace,
            JSON.stringify(preferences)
          )
        })
    })
  )
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  preferences: {
    filledBy: "its owner, apps",
    bound: "one row, of what a request may hold: 2 × `JSON_LIMIT`, 150 KiB by default",
    bytes: 2 * 150 * 1024,
    per: "account"
  }
})
