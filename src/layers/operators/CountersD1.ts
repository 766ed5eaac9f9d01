import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import {
  type Counted,
  Counters,
  keptRequestHours,
  type RequestHour,
  type Sums
} from "../../services/operators/Counters.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"

/** One row a sum, and one for each hour with requests. */
export const tables: ReadonlyArray<string> = [
  "CREATE TABLE IF NOT EXISTS host_sum (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
  `CREATE TABLE IF NOT EXISTS request_hour (
    hour INTEGER PRIMARY KEY, ok INTEGER NOT NULL, refused INTEGER NOT NULL, failed INTEGER NOT NULL
  )`
]

const anHour = 3_600_000

/** How often a process stores its sums at most, in milliseconds; the first event is stored at once. */
const sumsEvery = 15_000

/** How often it stores its requests at most, in milliseconds. */
const requestsEvery = 60_000

/** An hour that is still being counted. */
type Counting = { -readonly [Field in keyof RequestHour]: RequestHour[Field] }

const outcomeOf = (status: number): "ok" | "refused" | "failed" =>
  status < 400 ? "ok" : status < 500 ? "refused" : "failed"

/** The sums in the host's database. */
export const layer: Layer.Layer<never, never, HostDatabase> = Layer.effect(
  Counters,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { batch, sql } = database
    const { once, repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )
    let sums = new Map<Counted, number>()
    let hours = new Map<number, Counting>()
    let sumsAt = -Infinity
    let requestsAt = -Infinity

    const areSumsDue = (now: number) => sums.size > 0 && Math.abs(now - sumsAt) >= sumsEvery
    const areRequestsDue = (now: number) =>
      hours.size > 0 && Math.abs(now - requestsAt) >= requestsEvery

    const takeSums = (now: number) => {
      const rows = [...sums].map(([name, value]) => sql`(${name}, ${value})`)
      if (rows.length === 0) return []
      sums = new Map()
      sumsAt = now
      return [
        sql<object>`INSERT INTO host_sum VALUES ${sql.csv(rows)}
          ON CONFLICT DO UPDATE SET value = value + excluded.value`
      ]
    }

    const takeRequests = (now: number) => {
      const rows = [...hours.values()].map(
        ({ hour, ok, refused, failed }) => sql`(${hour}, ${ok}, ${refused}, ${failed})`
      )
      if (rows.length === 0) return []
      hours = new Map()
      requestsAt = now
      return [
        sql<object>`INSERT INTO request_hour VALUES ${sql.csv(rows)}
          ON CONFLICT DO UPDATE SET ok = ok + excluded.ok, refused = refused + excluded.refused,
            failed = failed + excluded.failed`
      ]
    }

    const flush = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const oldest = Math.floor(now / anHour) - keptRequestHours
      yield* once(
        "flushSums",
        batch([
          ...takeSums(now),
          ...takeRequests(now),
          sql<object>`DELETE FROM request_hour WHERE hour < ${oldest}`
        ])
      )
    })
    // A server on Node stops in order; an isolate ends without notice.
    yield* Effect.addFinalizer(() =>
      sums.size + hours.size === 0 ? Effect.void : Effect.ignore(flush)
    )

    return {
      add: (name) => void sums.set(name, (sums.get(name) ?? 0) + 1),
      addRequest: (status, now) => {
        const hour = Math.floor(now / anHour)
        let sum = hours.get(hour)
        if (sum === undefined) hours.set(hour, (sum = { hour, ok: 0, refused: 0, failed: 0 }))
        sum[outcomeOf(status)] += 1
      },
      isDue: (now) => areSumsDue(now) || areRequestsDue(now),
      // Neither is repeated: a sum must rather miss something than count it twice.
      store: Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const rows = [...takeSums(now), ...(areRequestsDue(now) ? takeRequests(now) : [])]
        if (rows.length > 0) yield* once("addSums", batch(rows))
      }),
      flush,
      sums: Effect.map(
        repeatable("sums", sql<{ name: string; value: number }>`SELECT name, value FROM host_sum`),
        // SAFETY: `store` wrote these names; others are ignored.
        (rows) => Object.fromEntries(rows.map(({ name, value }) => [name, value])) as Sums
      ),
      requests: (from) =>
        repeatable(
          "requestHours",
          sql<RequestHour>`SELECT * FROM request_hour WHERE hour >= ${from} ORDER BY hour`
        )
    }
  })
)

/** What bounds these tables. */
export const bounds = (): Bounds => ({
  host_sum: { filledBy: "the server", bound: "one row a sum", bytes: 20 * 1024, per: "host" },
  request_hour: {
    filledBy: "the server",
    bound: "one row an hour, for 31 days",
    bytes: 768 * 1024,
    per: "host"
  }
})
