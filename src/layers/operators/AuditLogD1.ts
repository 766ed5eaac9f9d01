import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  type AuditAct,
  type AuditEntry,
  type AuditHead,
  type AuditValue,
  emptyHead,
  nextEntry
} from "../../core/operators/auditChain.ts"
import { AuditLog, type AuditPage, AuditUnavailable } from "../../services/operators/AuditLog.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"
import { violatedColumn } from "../host/sql/sqlTables.ts"

/** One row for each act, and one for the newest entry. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, act TEXT NOT NULL,
    status INTEGER NOT NULL, subject TEXT, reason TEXT, before TEXT, after TEXT, request TEXT,
    prev TEXT NOT NULL, hash TEXT NOT NULL
  )`,
  "CREATE INDEX IF NOT EXISTS audit_subject ON audit (subject, seq)",
  `CREATE TABLE IF NOT EXISTS audit_head (
    one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL
  )`
]

/** How many entries are kept; the oldest are deleted in steps. */
export const kept = { entries: 100_000, step: 500 }

/** The longest texts of an entry, in characters, and the most values before or after an act. */
const longest = { name: 300, reason: 500, value: 200, values: 6 }

/** How often an entry is retried after another took its number. */
const tries = 20

interface Row {
  readonly seq: number
  readonly at: number
  readonly actor: string
  readonly act: string
  readonly status: number
  readonly subject: string | null
  readonly reason: string | null
  readonly before: string | null
  readonly after: string | null
  readonly request: string | null
  readonly prev: string
  readonly hash: string
}

const entryOf = (row: Row): AuditEntry => {
  const { seq, at, actor, act, status, prev, hash } = row
  return {
    seq,
    at,
    actor,
    act,
    status,
    prev,
    hash,
    ...(row.subject === null ? {} : { subject: row.subject }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.before === null ? {} : { before: valuesOf(row.before) }),
    ...(row.after === null ? {} : { after: valuesOf(row.after) }),
    ...(row.request === null ? {} : { request: row.request })
  }
}

const valuesOf = (json: string): Readonly<Record<string, AuditValue>> =>
  // SAFETY: `append` wrote it from a value of this type. Anything else breaks the chain.
  JSON.parse(json) as Readonly<Record<string, AuditValue>>

const shortValue = (value: AuditValue): AuditValue =>
  typeof value === "string" ? value.slice(0, longest.value) : value

const shortValues = (values: Readonly<Record<string, AuditValue>>) =>
  Object.fromEntries(
    Object.entries(values)
      .slice(0, longest.values)
      .map(([name, value]) => [name.slice(0, longest.value), shortValue(value)])
  )

const short = ({ at, status, ...act }: AuditAct): AuditAct => ({
  at,
  status,
  actor: act.actor.slice(0, longest.name),
  act: act.act.slice(0, longest.name),
  ...(act.subject === undefined ? {} : { subject: act.subject.slice(0, longest.name) }),
  ...(act.reason === undefined ? {} : { reason: act.reason.slice(0, longest.reason) }),
  ...(act.before === undefined ? {} : { before: shortValues(act.before) }),
  ...(act.after === undefined ? {} : { after: shortValues(act.after) }),
  ...(act.request === undefined ? {} : { request: act.request.slice(0, longest.name) })
})

const json = (values: AuditAct["before"]): string | null =>
  values === undefined ? null : JSON.stringify(values)

/** The audit log in the host's database. */
export const layer: Layer.Layer<AuditLog, never, HostDatabase> = Layer.effect(
  AuditLog,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql, batch } = database
    const { prepared, repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new AuditUnavailable({ operation, cause })
    )

    /** The newest entry of both the entries and the separate note: deleted entries leave a gap. */
    const head = Effect.map(
      Effect.suspend(() =>
        repeatable(
          "head",
          sql<AuditHead>`SELECT seq, hash FROM (SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1)
            UNION ALL SELECT seq, hash FROM audit_head ORDER BY seq DESC LIMIT 1`
        )
      ),
      (rows) => rows[0] ?? emptyHead
    )

    const insert = (entry: AuditEntry) => {
      const { seq, at, actor, act, status, subject, reason, before, after, request } = entry
      return batch([
        sql<object>`INSERT INTO audit VALUES (${seq}, ${at}, ${actor}, ${act}, ${status},
          ${subject ?? null}, ${reason ?? null}, ${json(before)}, ${json(after)}, ${request ?? null},
          ${entry.prev}, ${entry.hash})`,
        sql<object>`INSERT INTO audit_head VALUES (1, ${seq}, ${entry.hash})
          ON CONFLICT DO UPDATE SET seq = excluded.seq, hash = excluded.hash WHERE seq < excluded.seq`,
        ...(seq % kept.step === 0
          ? [sql<object>`DELETE FROM audit WHERE seq <= ${seq - kept.entries}`]
          : [])
      ])
    }

    /**
     * Adds an entry after the newest; `lost` is an earlier attempt that may have been written
     * although its response was lost.
     */
    const add = Effect.fnUntraced(function* (act: AuditAct, lost?: AuditEntry) {
      const newest = yield* head
      if (lost !== undefined && lost.hash === newest.hash) return { entry: lost }
      const entry = nextEntry(newest, act)
      return yield* Effect.match(prepared(insert(entry)), {
        onSuccess: () => ({ entry }),
        onFailure: (cause) => ({ tried: entry, cause })
      })
    })

    const append = Effect.fn("AuditLog.append")(function* (act: AuditAct) {
      const shortened = short(act)
      let added = yield* add(shortened)
      let failures = 0
      for (let again = 0; !("entry" in added); again++) {
        if (violatedColumn(added.cause) !== "audit.seq") failures += 1
        if (failures > 1 || again === tries) {
          return yield* new AuditUnavailable({ operation: "append", cause: added.cause })
        }
        added = yield* add(shortened, added.tried)
      }
      return added.entry
    })

    const page = ({ after, before, limit, actor, act, subject }: AuditPage) =>
      repeatable(
        "page",
        sql<Row>`SELECT * FROM audit
          WHERE seq > ${after ?? 0} AND seq < ${before ?? Number.MAX_SAFE_INTEGER}
          AND ${sql.and([
            sql`1 = 1`,
            ...(actor === undefined ? [] : [sql`actor = ${actor}`]),
            ...(act === undefined ? [] : [sql`act = ${act}`]),
            ...(subject === undefined ? [] : [sql`subject = ${subject}`])
          ])}
          ORDER BY seq ${sql.literal(after === undefined ? "DESC" : "ASC")} LIMIT ${limit}`
      ).pipe(Effect.map((rows) => rows.map(entryOf)))

    return AuditLog.of({ append, page, head })
  })
)

/** What bounds these tables. */
export const bounds = (): Bounds => ({
  audit: {
    filledBy: "operators and moderators",
    bound: "100,000 acts; the oldest go",
    bytes: 100_500 * 6 * 1024,
    per: "host"
  },
  audit_head: { filledBy: "the server", bound: "one row", bytes: 1024, per: "host" }
})
