import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import { countedTables, type Counts, HostCounts } from "../../services/operators/HostCounts.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"

/** The newest counts, one row. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS host_count (
    one INTEGER PRIMARY KEY CHECK (one = 1), counts TEXT NOT NULL
  )`
]

interface Counted {
  readonly part: string
  readonly name: string
  readonly n: number
}

const part = (rows: ReadonlyArray<Counted>, wanted: string): Readonly<Record<string, number>> =>
  Object.fromEntries(rows.filter((row) => row.part === wanted).map(({ name, n }) => [name, n]))

const day = 24 * 3_600_000

/** The most SELECTs that D1 takes in one statement. Source: D1's build of SQLite, SQLITE_LIMIT_COMPOUND_SELECT. */
const mostTerms = 5

/** The counts in the host's database. */
export const layer: Layer.Layer<HostCounts, never, HostDatabase> = Layer.effect(
  HostCounts,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql } = database
    const { repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )

    return HostCounts.of({
      last: Effect.suspend(() =>
        repeatable("lastCounts", sql<{ counts: string }>`SELECT counts FROM host_count`)
      ).pipe(
        Effect.map(([row]) =>
          // SAFETY: `keep` wrote it from a value of this type.
          row === undefined ? undefined : (JSON.parse(row.counts) as Counts)
        )
      ),
      take: Effect.fn("HostCounts.take")(function* (now: number) {
        const known = yield* repeatable(
          "tables",
          sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'table'`
        )
        const has = (table: string) => known.some(({ name }) => name === table)
        const statements = [
          ...(has("accounts")
            ? [
                "SELECT 'accounts' AS part, status AS name, count(*) AS n FROM accounts GROUP BY status",
                `SELECT 'new' AS part, 'accounts' AS name, count(*) AS n FROM accounts WHERE created_at > ${now - day}`
              ]
            : []),
          ...(has("operator")
            ? [
                "SELECT 'operators' AS part, role AS name, count(*) AS n FROM operator GROUP BY role"
              ]
            : []),
          ...countedTables
            .filter(has)
            .map(
              (table) => `SELECT 'rows' AS part, '${table}' AS name, count(*) AS n FROM ${table}`
            )
        ]
        const rows: Array<Counted> = []
        for (let at = 0; at < statements.length; at += mostTerms) {
          const query = statements.slice(at, at + mostTerms).join(" UNION ALL ")
          rows.push(...(yield* repeatable("count", sql.unsafe<Counted>(query))))
        }
        return {
          at: now,
          accounts: part(rows, "accounts"),
          newAccounts: part(rows, "new")["accounts"] ?? 0,
          operators: part(rows, "operators"),
          rows: part(rows, "rows")
        }
      }),
      keep: (counts) =>
        Effect.asVoid(
          repeatable(
            "keepCounts",
            sql<object>`INSERT OR REPLACE INTO host_count VALUES (1, ${JSON.stringify(counts)})`
          )
        )
    })
  })
)

/** What bounds this table. */
export const bounds: Bounds = {
  host_count: { filledBy: "the server", bound: "one row", bytes: 4 * 1024, per: "host" }
}
