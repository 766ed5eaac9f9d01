import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import { type Counted, Counters, type Sums } from "../../services/operators/Counters.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"

/** One row a sum. */
export const tables: ReadonlyArray<string> = [
  "CREATE TABLE IF NOT EXISTS host_sum (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID"
]

/** How often a process stores its sums at most, in milliseconds; the first event is stored at once. */
const storeEvery = 15_000

/** The sums in the host's database. */
export const layer: Layer.Layer<never, never, HostDatabase> = Layer.effect(
  Counters,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql } = database
    const { once, repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )
    let gathered = new Map<Counted, number>()
    let storedAt = -Infinity

    return {
      add: (name) => void gathered.set(name, (gathered.get(name) ?? 0) + 1),
      isDue: (now) => gathered.size > 0 && Math.abs(now - storedAt) >= storeEvery,
      store: Effect.gen(function* () {
        const storing = [...gathered]
        if (storing.length === 0) return
        gathered = new Map()
        storedAt = yield* Clock.currentTimeMillis
        const rows = storing.map(([name, value]) => sql`(${name}, ${value})`)
        // Not repeated: a sum must rather miss something than count it twice.
        yield* once(
          "addSums",
          sql<object>`INSERT INTO host_sum VALUES ${sql.csv(rows)}
            ON CONFLICT DO UPDATE SET value = value + excluded.value`
        )
      }),
      sums: Effect.map(
        repeatable("sums", sql<{ name: string; value: number }>`SELECT name, value FROM host_sum`),
        // SAFETY: `store` wrote these names; others are ignored.
        (rows) => Object.fromEntries(rows.map(({ name, value }) => [name, value])) as Sums
      )
    }
  })
)

/** What bounds this table. */
export const bounds: Bounds = {
  host_sum: { filledBy: "the server", bound: "one row a sum", bytes: 20 * 1024, per: "host" }
}
