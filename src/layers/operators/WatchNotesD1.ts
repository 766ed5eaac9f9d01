import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import { WatchNotes } from "../../services/operators/WatchNotes.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"

/** One row a name. */
export const tables: ReadonlyArray<string> = [
  "CREATE TABLE IF NOT EXISTS watch_note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
]

/** The longest value, in characters. */
const longest = 64 * 1024

/** The watch's notes in the host's database. */
export const layer: Layer.Layer<WatchNotes, never, HostDatabase> = Layer.effect(
  WatchNotes,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql } = database
    const { repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )
    return WatchNotes.of({
      get: Effect.fn("WatchNotes.get")(function* (name) {
        const [row] = yield* repeatable(
          "watchNote",
          sql<{ value: string }>`SELECT value FROM watch_note WHERE name = ${name}`
        )
        const value: unknown = row === undefined ? undefined : JSON.parse(row.value)
        return value
      }),
      set: Effect.fn("WatchNotes.set")(function* (name, value) {
        const text = JSON.stringify(value)
        if (text.length > longest) {
          return yield* Effect.logError("a note of the watch is too long", { name })
        }
        yield* repeatable(
          "setWatchNote",
          sql<object>`INSERT OR REPLACE INTO watch_note VALUES (${name}, ${text})`
        )
      })
    })
  })
)

/** What bounds this table. */
export const bounds = (): Bounds => ({
  watch_note: {
    filledBy: "the server",
    bound: "a few rows of 64 KiB",
    bytes: 16 * 256 * 1024,
    per: "host"
  }
})
