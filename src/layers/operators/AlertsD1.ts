import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Fragment, Statement } from "effect/sql/Statement"
import {
  type Alert,
  type AlertKind,
  alertKinds,
  alertNames,
  type Channel,
  channels,
  isAlertKind,
  isDue,
  settle
} from "../../core/operators/alerts.ts"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import { Alerts, type AlertSummary } from "../../services/operators/Alerts.ts"
import { WatchNotes } from "../../services/operators/WatchNotes.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"

/** All bits of `settled`: each channel's begin and end. */
const all = 2 ** (2 * channels.length) - 1

/**
 * One row an alert. `settled` has two bits a channel, for the alert's begin and its end, once nothing more is to be
 * reported; `reported` has those of them that were.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS alert (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
    begun_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, ended_at INTEGER,
    settled INTEGER NOT NULL, reported INTEGER NOT NULL
  )`,
  "CREATE UNIQUE INDEX IF NOT EXISTS alert_open ON alert (kind, subject) WHERE ended_at IS NULL",
  `CREATE INDEX IF NOT EXISTS alert_unsettled ON alert (id) WHERE settled < ${all}`
]

/** How many alerts are open at most, and how many that ended are kept. */
export const most = { open: 500, ended: 1000 }

/** Statements of one batch. */
const atOnce = 40

interface Row {
  readonly id: number
  readonly kind: AlertKind
  readonly subject: string
  readonly detail: string
  readonly begun_at: number
  readonly seen_at: number
  readonly ended_at: number | null
  readonly settled: number
  readonly reported: number
}

const beginBit = (channel: Channel) => 2 ** (2 * channels.indexOf(channel))
const endBit = (channel: Channel) => 2 * beginBit(channel)

const channelsIn = (bits: number, bitOf: (channel: Channel) => number) =>
  channels.filter((channel) => (bits & bitOf(channel)) !== 0)

const alertOf = (row: Row): Alert => ({
  id: row.id,
  kind: row.kind,
  subject: row.subject,
  detail: row.detail,
  begunAt: row.begun_at,
  seenAt: row.seen_at,
  ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
  reportedBegin: channelsIn(row.reported, beginBit),
  reportedEnd: channelsIn(row.reported, endBit)
})

/** Rows of a newer version may have kinds that this one doesn't know. */
const alertsOf = (rows: ReadonlyArray<Row>): ReadonlyArray<Alert> =>
  rows.filter(({ kind }) => isAlertKind(kind)).map(alertOf)

const summaryOf = (alerts: ReadonlyArray<Alert>, at: number): AlertSummary => {
  const open: Partial<Record<AlertKind, number>> = {}
  for (const { kind } of alerts.filter(isDue)) open[kind] = (open[kind] ?? 0) + 1
  return { at, open }
}

/** The alerts in the host's database. */
export const layer: Layer.Layer<Alerts, never, HostDatabase | WatchNotes> = Layer.effect(
  Alerts,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const notes = yield* WatchNotes
    const { sql, batch } = database
    const { repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )

    const openRows = repeatable(
      "openAlerts",
      sql<Row>`SELECT * FROM alert WHERE ended_at IS NULL ORDER BY id DESC LIMIT ${most.open}`
    )

    /** Rows that have lasted as long as their kind must. */
    const due: Fragment = sql.or(
      alertNames.map(
        (kind) =>
          sql`(kind = ${kind} AND seen_at - begun_at >= ${sql.literal(String(alertKinds[kind].patience))})`
      )
    )

    const ids = (of: ReadonlyArray<number>) => sql.in("id", of)

    const inBatches = Effect.fnUntraced(function* (statements: ReadonlyArray<Statement<object>>) {
      for (let at = 0; at < statements.length; at += atOnce) {
        yield* repeatable("noteAlerts", batch(statements.slice(at, at + atOnce)))
      }
    })

    const note = Effect.fn("Alerts.note")(function* (
      look: Parameters<typeof settle>[1],
      now: number
    ) {
      const open = alertsOf(yield* openRows)
      const { begun, lasting, ended, dropped } = settle(open, look)
      const room = Math.max(0, most.open - open.length)
      if (begun.length > room) yield* Effect.logError("there are too many alerts")
      yield* inBatches([
        ...begun.slice(0, room).map(
          ({ kind, subject, detail }) =>
            sql<object>`INSERT OR IGNORE INTO alert
            (kind, subject, detail, begun_at, seen_at, settled, reported)
            VALUES (${kind}, ${subject}, ${detail.slice(0, 500)}, ${now}, ${now}, 0, 0)`
        ),
        ...lasting.map(
          ({ id, detail }) =>
            sql<object>`UPDATE alert SET seen_at = ${now}, detail = ${detail.slice(0, 500)}
            WHERE id = ${id} AND ended_at IS NULL`
        ),
        ...ended.map(
          (id) =>
            sql<object>`UPDATE alert SET ended_at = ${now} WHERE id = ${id} AND ended_at IS NULL`
        ),
        ...dropped.map((id) => sql<object>`DELETE FROM alert WHERE id = ${id}`),
        ...(ended.length === 0
          ? []
          : [
              sql<object>`DELETE FROM alert WHERE ended_at IS NOT NULL AND id <=
                (SELECT max(id) FROM alert) - ${most.ended + most.open}`
            ])
      ])
      yield* notes.set("alerts", summaryOf(alertsOf(yield* openRows), now))
    })

    return Alerts.of({
      list: Effect.fn("Alerts.list")(function* ({ past, limit }) {
        const isListed = past ? due : sql`ended_at IS NULL AND ${due}`
        return alertsOf(
          yield* repeatable(
            "alerts",
            sql<Row>`SELECT * FROM alert WHERE ${isListed}
              ORDER BY ended_at IS NOT NULL, id DESC LIMIT ${limit}`
          )
        )
      }),
      summary: Effect.map(
        notes.get("alerts"),
        // SAFETY: `note` wrote it from a value of this type.
        (value) => value as AlertSummary | undefined
      ),
      note,
      end: Effect.fn("Alerts.end")(function* ({ kind, subject }, now) {
        yield* repeatable(
          "endAlert",
          sql<object>`UPDATE alert SET ended_at = ${now}
            WHERE kind = ${kind} AND subject = ${subject} AND ended_at IS NULL`
        )
      }),
      add: Effect.fn("Alerts.add")(function* (alert) {
        const bits = alert.reportedBegin.reduce((sum, channel) => sum | beginBit(channel), 0)
        yield* repeatable(
          "addAlert",
          sql<object>`INSERT OR IGNORE INTO alert
            (kind, subject, detail, begun_at, seen_at, settled, reported)
            VALUES (${alert.kind}, ${alert.subject}, ${alert.detail.slice(0, 500)},
              ${alert.begunAt}, ${alert.seenAt}, ${bits}, ${bits})`
        )
      }),
      unreported: Effect.fn("Alerts.unreported")(function* (channel, limit) {
        const [begin, end] = [beginBit(channel), endBit(channel)]
        return alertsOf(
          yield* repeatable(
            "unreportedAlerts",
            sql<Row>`SELECT * FROM alert WHERE settled < ${sql.literal(String(all))} AND ${due}
              AND ((settled & ${begin} = 0 AND ended_at IS NULL)
                OR (settled & ${end} = 0 AND ended_at IS NOT NULL))
              ORDER BY id LIMIT ${limit}`
          )
        )
      }),
      settled: Effect.fn("Alerts.settled")(function* (alerts, channel, outcome) {
        const bits = (ended: boolean) => beginBit(channel) | (ended ? endBit(channel) : 0)
        yield* inBatches(
          [false, true].flatMap((ended) => {
            const of = alerts.filter(({ endedAt }) => (endedAt !== undefined) === ended)
            if (of.length === 0) return []
            const reported = outcome === "sent" ? (ended ? endBit(channel) : beginBit(channel)) : 0
            return [
              sql<object>`UPDATE alert SET settled = settled | ${bits(ended)}, reported = reported | ${reported}
                WHERE ${ids(of.map(({ id }) => id))}`
            ]
          })
        )
      })
    })
  })
)

/** What bounds this table. */
export const bounds = (): Bounds => ({
  alert: {
    filledBy: "the server",
    bound: "500 open alerts, and 1,000 that ended; the oldest go",
    bytes: 2000 * 5 * 1024,
    per: "host"
  }
})
