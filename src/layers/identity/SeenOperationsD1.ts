import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import { SeenOperations } from "../../services/identity/SeenOperations.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"

/** One row an account with a did:plc. */
export const tables: ReadonlyArray<string> = [
  "CREATE TABLE IF NOT EXISTS plc_seen (did TEXT PRIMARY KEY, cid TEXT NOT NULL, foreign_at INTEGER) WITHOUT ROWID"
]

interface Row {
  readonly did: string
  readonly cid: string
  readonly foreign_at: number | null
}

/** The known PLC operations in the host's database. */
export const layer: Layer.Layer<never, never, HostDatabase> = Layer.effect(
  SeenOperations,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql } = database
    const { repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )
    return {
      get: Effect.fn("SeenOperations.get")(function* (dids: ReadonlyArray<string>) {
        if (dids.length === 0) return new Map()
        const rows = yield* repeatable(
          "seenOperations",
          sql<Row>`SELECT * FROM plc_seen WHERE ${sql.in("did", dids)}`
        )
        return new Map(
          rows.map(({ did, cid, foreign_at: foreignAt }) => [
            did,
            { cid, ...(foreignAt === null ? {} : { foreignAt }) }
          ])
        )
      }),
      set: Effect.fn("SeenOperations.set")(function* (did, { cid, foreignAt }) {
        yield* repeatable(
          "setSeenOperation",
          sql<object>`INSERT OR REPLACE INTO plc_seen VALUES (${did}, ${cid}, ${foreignAt ?? null})`
        )
      }),
      tidy: Effect.asVoid(
        repeatable(
          "tidySeenOperations",
          sql<object>`DELETE FROM plc_seen WHERE did NOT IN (SELECT did FROM accounts)`
        )
      )
    }
  })
)

/** What bounds this table. */
export const bounds = (): Bounds => ({
  plc_seen: { filledBy: "the server", bound: "one row an account", bytes: 5 * 1024, per: "account" }
})
