import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import { Backlog } from "../../services/stream/Backlog.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"

/** One row an account whose outbox doesn't drain. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS backlog (
    did TEXT PRIMARY KEY, events INTEGER NOT NULL, since INTEGER NOT NULL, noted_at INTEGER NOT NULL
  ) WITHOUT ROWID`
]

/** The outboxes that don't drain, in the host's database. */
export const layer: Layer.Layer<never, never, HostDatabase> = Layer.effect(
  Backlog,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql } = database
    const { repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )
    return {
      note: (did, { events, since }, now) =>
        Effect.asVoid(
          repeatable(
            "noteBacklog",
            sql<object>`INSERT OR REPLACE INTO backlog VALUES (${did}, ${events}, ${since}, ${now})`
          )
        ),
      total: Effect.fn("Backlog.total")(function* (from) {
        yield* repeatable("tidyBacklog", sql<object>`DELETE FROM backlog WHERE noted_at < ${from}`)
        const [row] = yield* repeatable(
          "backlog",
          sql<{ accounts: number; events: number | null; since: number | null }>`SELECT
            count(*) AS accounts, sum(events) AS events, min(since) AS since FROM backlog`
        )
        if (row === undefined || row.events === null || row.since === null) return undefined
        return { accounts: row.accounts, events: row.events, since: row.since }
      })
    }
  })
)

/** What bounds this table. */
export const bounds = (): Bounds => ({
  backlog: { filledBy: "the server", bound: "one row an account", bytes: 5 * 1024, per: "account" }
})
