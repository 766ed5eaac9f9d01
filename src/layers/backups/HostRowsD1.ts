import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Row } from "../../core/backups/rows.ts"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import { HostRows } from "../../services/backups/HostRows.ts"
import * as Directory from "../accounts/DirectoryD1.ts"
import * as PasskeyOwners from "../factors/PasskeyOwnersD1.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"
import * as Operators from "../operators/OperatorsD1.ts"
import * as ReservedKeys from "../identity/ReservedKeysD1.ts"

/** The tables whose rows belong to an account: the column with its DID, and the one that orders the rows. */
export const ofAccounts = {
  accounts: { did: "did", order: "did" },
  kept_handle: { did: "did", order: "handle" },
  passkey_owner: { did: "did", order: "credential" }
} as const

/** The tables that a backup contains completely, with their key columns. */
export const whole = {
  invites: ["code"],
  invite_uses: ["code", "used_by"],
  reserved_key: ["did"],
  operator: ["did"],
  invite_note: ["code"]
} as const

/** The tables that a backup omits, with the reason. */
export const leftOut = {
  edge: "starts empty",
  oauth_request: "expires after an hour",
  oauth_code: "expires after a day",
  oauth_used_once: "expires after a day",
  device: "people sign in again",
  device_account: "people sign in again",
  reset_code: "expires after a day",
  adopted_token: "people sign in again",
  host_key: "recorded at the first start",
  key_rotation: "a restored account is put under the current key at once",
  included_set: "can be fetched again",
  permission_set: "can be fetched again",
  audit: "exported by nacre audit; its chain can't continue in another database",
  audit_head: "belongs to audit",
  host_count: "counted again",
  host_hour: "a picture of the last weeks, which starts again",
  request_hour: "a picture of the last weeks, which starts again",
  alert: "the watch looks again",
  announcement: "a restored server must not mail again",
  backlog: "noted again while events wait",
  host_sum: "counts what happened on this server",
  plc_seen: "the watch reads the logs again",
  watch_note: "the watch looks again",
  backup_run: "about the backups themselves",
  backup_account: "about the backups themselves",
  backup_mark: "about the backups themselves"
} as const

/** Rows written at once. */
const batchRows = 50

/** Rows in a page. */
const pageRows = 2000

const tables = [
  ...Directory.tables,
  ...PasskeyOwners.tables,
  ...ReservedKeys.tables,
  ...Operators.tables
]

const names = Object.keys(whole) as ReadonlyArray<keyof typeof whole>

/** A position among the rows: the table, and the key of the last row read. */
interface Place {
  readonly table: number
  readonly after: ReadonlyArray<string>
}

const placeOf = (cursor: string): Place => {
  if (cursor === "") return { table: 0, after: [] }
  const [table, ...after] = JSON.parse(cursor) as [number, ...Array<string>]
  return { table, after }
}

/** The rows of the host's database. */
export const layer: Layer.Layer<HostRows, never, HostDatabase> = Layer.effect(
  HostRows,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql, batch } = database
    const { repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )

    return HostRows.of({
      ofAccount: Effect.fn("HostRows.ofAccount")(function* (did) {
        const read = batch(
          Object.entries(ofAccounts).map(
            ([table, columns]) =>
              sql<Row>`SELECT * FROM ${sql(table)} WHERE ${sql(columns.did)} = ${did}
                ORDER BY ${sql(columns.order)}`
          )
        )
        const answered = yield* repeatable("rowsOfAccount", read)
        // SAFETY: each statement returns rows of text, numbers and null.
        const found = answered as ReadonlyArray<ReadonlyArray<Row>>
        return Object.fromEntries(Object.keys(ofAccounts).map((table, at) => [table, found[at]!]))
      }),
      restore: Effect.fn("HostRows.restore")(function* (given) {
        const inserts = Object.entries(given)
          .filter(([table]) => table in ofAccounts || table in whole)
          .flatMap(([table, rows]) =>
            rows.map((row) => sql`INSERT OR IGNORE INTO ${sql(table)} ${sql.insert(row)}`)
          )
        for (let at = 0; at < inserts.length; at += batchRows) {
          yield* repeatable("restoreRows", batch(inserts.slice(at, at + batchRows)))
        }
      }),
      page: Effect.fn("HostRows.page")(function* (cursor) {
        const { table, after } = placeOf(cursor)
        const name = names[table]
        if (name === undefined) return { rows: {} }
        const keys = whole[name]
        const columns = sql.literal(`(${keys.join(", ")})`)
        const from = after.length === 0 ? keys.map(() => "") : after
        const values = sql.join(", ", false)(from.map((value) => sql`${value}`))
        const rows = yield* repeatable(
          "rowsOfHost",
          sql<Row>`SELECT * FROM ${sql(name)} WHERE ${columns} > (${values})
            ORDER BY ${sql.literal(keys.join(", "))} LIMIT ${pageRows}`
        )
        const last = rows.at(-1)
        const next =
          last !== undefined && rows.length === pageRows
            ? [table, ...keys.map((key) => last[key])]
            : [table + 1]
        const page = { rows: { [name]: rows } }
        return next[0] === names.length ? page : { ...page, cursor: JSON.stringify(next) }
      })
    })
  })
)
