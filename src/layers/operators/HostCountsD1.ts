import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import {
  countedTables,
  type Counts,
  HostCounts,
  type HourCounts,
  keptHours
} from "../../services/operators/HostCounts.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"

/** The newest counts, one row; and a row for each of the last hours. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS host_count (
    one INTEGER PRIMARY KEY CHECK (one = 1), counts TEXT NOT NULL
  )`,
  `CREATE TABLE IF NOT EXISTS host_hour (
    hour INTEGER PRIMARY KEY, events INTEGER NOT NULL, sign_ups INTEGER NOT NULL
  )`
]

interface Counted {
  readonly part: string
  readonly name: string
  readonly n: number
}

const part = (rows: ReadonlyArray<Counted>, wanted: string): Readonly<Record<string, number>> =>
  Object.fromEntries(rows.filter((row) => row.part === wanted).map(({ name, n }) => [name, n]))

const anHour = 3_600_000
const day = 24 * anHour

/** The most SELECTs that D1 takes in one statement. Source: D1's build of SQLite, SQLITE_LIMIT_COMPOUND_SELECT. */
const mostTerms = 5

/** The counts in the host's database. */
export const layer: Layer.Layer<HostCounts, never, HostDatabase> = Layer.effect(
  HostCounts,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql, batch, size } = database
    const { repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )

    /** The tables that exist: each is created with its first row. */
    const tableNames = Effect.suspend(() =>
      repeatable(
        "tables",
        sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'table'`
      )
    ).pipe(Effect.map((rows) => rows.map(({ name }) => name)))

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
        const known = yield* tableNames
        const has = (table: string) => known.includes(table)
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
          rows: part(rows, "rows"),
          databaseBytes: yield* repeatable("size", size)
        }
      }),
      keep: (counts) =>
        Effect.asVoid(
          repeatable(
            "keepCounts",
            sql<object>`INSERT OR REPLACE INTO host_count VALUES (1, ${JSON.stringify(counts)})`
          )
        ),
      hours: (from) =>
        repeatable(
          "hours",
          sql<HourCounts>`SELECT hour, events, sign_ups AS signUps FROM host_hour
            WHERE hour >= ${from} ORDER BY hour`
        ),
      signUps: Effect.fn("HostCounts.signUps")(function* (from: number) {
        // The first sign-up creates the table.
        if (!(yield* tableNames).includes("accounts")) return new Map<number, number>()
        const rows = yield* repeatable(
          "signUps",
          sql<{
            hour: number
            n: number
          }>`SELECT CAST(created_at / ${anHour} AS INTEGER) AS hour, count(*) AS n
            FROM accounts WHERE created_at >= ${from * anHour} AND status <> 'reserved'
            GROUP BY 1`
        )
        return new Map(rows.map(({ hour, n }) => [hour, n]))
      }),
      noteHours: (hours, current) =>
        Effect.asVoid(
          repeatable(
            "noteHours",
            batch([
              ...hours.map(
                ({ hour, events, signUps }) =>
                  sql<object>`INSERT OR IGNORE INTO host_hour VALUES (${hour}, ${events}, ${signUps})`
              ),
              sql<object>`DELETE FROM host_hour WHERE hour < ${current - keptHours}`
            ])
          )
        )
    })
  })
)

/** What bounds this table. */
export const bounds = (): Bounds => ({
  host_count: { filledBy: "the server", bound: "one row", bytes: 4 * 1024, per: "host" },
  host_hour: {
    filledBy: "the server",
    bound: "one row an hour, for 31 days",
    bytes: 768 * 1024,
    per: "host"
  }
})
