import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import {
  type Backed,
  BackupLedger,
  type Outcome,
  type Phase,
  type Run,
  type Totals
} from "../../services/backups/BackupLedger.ts"
import * as Directory from "../accounts/DirectoryD1.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"

/** The number of ended runs that are kept. */
const remembered = 400

/** The runs, and the state of each account's backup. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS backup_run (
    run TEXT PRIMARY KEY, started_at INTEGER NOT NULL, finished_at INTEGER, outcome TEXT,
    phase TEXT NOT NULL, cursor TEXT NOT NULL, attempts INTEGER NOT NULL, totals TEXT NOT NULL,
    holder TEXT, lease_until INTEGER NOT NULL
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS backup_account (
    did TEXT PRIMARY KEY, version TEXT NOT NULL, stamp TEXT NOT NULL, versions INTEGER NOT NULL, gone_at INTEGER
  ) WITHOUT ROWID`,
  "CREATE TABLE IF NOT EXISTS backup_mark (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL)"
]

interface RunRow {
  readonly run: string
  readonly started_at: number
  readonly finished_at: number | null
  readonly outcome: Outcome | null
  readonly phase: Phase
  readonly cursor: string
  readonly attempts: number
  readonly totals: string
}

const runOf = (row: RunRow): Run => ({
  run: row.run,
  startedAt: row.started_at,
  finishedAt: row.finished_at ?? undefined,
  outcome: row.outcome ?? undefined,
  phase: row.phase,
  cursor: row.cursor,
  attempts: row.attempts,
  // SAFETY: `save` wrote it from a value of this type.
  totals: JSON.parse(row.totals) as Totals
})

const nothing: Totals = {
  accounts: 0,
  changed: 0,
  failed: 0,
  blobs: 0,
  bytes: 0,
  host: [],
  pages: [],
  sampled: 0,
  faults: [],
  faulty: 0
}

interface AccountRow {
  readonly did: string
  readonly version: string | null
  readonly stamp: string | null
  readonly versions: number | null
}

const backedOf = ({ version, stamp, versions }: AccountRow): Backed | undefined =>
  version === null ? undefined : { version, stamp: stamp ?? "", versions: versions ?? 1 }

/** The ledger in the host's database. */
export const layer: Layer.Layer<BackupLedger, never, HostDatabase> = Layer.effect(
  BackupLedger,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql, batch } = database
    const { repeatable } = queriesOver(
      database,
      [...Directory.tables, ...tables],
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )
    const done = (operation: string, query: Parameters<typeof batch>[0][number]) =>
      Effect.asVoid(repeatable(operation, query))
    const here = sql`SELECT 1 FROM accounts WHERE accounts.did = backup_account.did AND status <> 'reserved'`
    const runs = sql`SELECT run, started_at, finished_at, outcome, phase, cursor, attempts, totals FROM backup_run`
    const open = repeatable("openBackup", sql<RunRow>`${runs} WHERE outcome IS NULL LIMIT 1`).pipe(
      Effect.map(([row]) => (row === undefined ? undefined : runOf(row)))
    )

    return BackupLedger.of({
      open,
      run: (run) =>
        repeatable("backupOf", sql<RunRow>`${runs} WHERE run = ${run}`).pipe(
          Effect.map(([row]) => (row === undefined ? undefined : runOf(row)))
        ),
      ended: (limit) =>
        repeatable(
          "endedBackups",
          sql<RunRow>`${runs} WHERE outcome IS NOT NULL ORDER BY run DESC LIMIT ${limit}`
        ).pipe(Effect.map((rows) => rows.map(runOf))),
      count: repeatable(
        "countBackups",
        sql<{
          n: number
        }>`SELECT count(*) AS n FROM backup_run WHERE outcome IN ('good', 'incomplete')`
      ).pipe(Effect.map(([row]) => row?.n ?? 0)),
      begin: Effect.fn("BackupLedger.begin")(function* (run, now) {
        const [, , found] = yield* repeatable(
          "beginBackup",
          batch([
            sql`DELETE FROM backup_run WHERE run IN (SELECT run FROM backup_run WHERE outcome IS NOT NULL
              ORDER BY run DESC LIMIT -1 OFFSET ${remembered})`,
            sql`INSERT OR IGNORE INTO backup_run
              (run, started_at, phase, cursor, attempts, totals, lease_until)
              SELECT ${run}, ${now}, 'accounts', '', 0, ${JSON.stringify(nothing)}, 0
              WHERE NOT EXISTS (SELECT 1 FROM backup_run WHERE outcome IS NULL)`,
            sql<RunRow>`${runs} WHERE outcome IS NULL LIMIT 1`
          ])
        )
        // SAFETY: the last statement returns rows of this form.
        const [row] = (found ?? []) as ReadonlyArray<RunRow>
        // A run with this id has already ended.
        return row === undefined
          ? ((yield* repeatable("begunBackup", sql<RunRow>`${runs} WHERE run = ${run}`)).map(
              runOf
            )[0] ?? (yield* Effect.die(new Error("a run that was begun is not there"))))
          : runOf(row)
      }),
      lease: (run, holder, now, until) =>
        repeatable(
          "leaseBackup",
          batch([
            sql`UPDATE backup_run SET holder = ${holder}, lease_until = ${until}
              WHERE run = ${run} AND outcome IS NULL AND (lease_until <= ${now} OR holder = ${holder})`,
            sql`SELECT holder, lease_until FROM backup_run WHERE run = ${run}`
          ])
        ).pipe(
          Effect.map(([, found]) => {
            // SAFETY: the last statement returns rows of this form.
            const [row] = (found ?? []) as ReadonlyArray<{
              readonly holder: string | null
              readonly lease_until: number
            }>
            return row?.holder === holder ? undefined : (row?.lease_until ?? now)
          })
        ),
      save: (run, holder, until) =>
        repeatable(
          "saveBackup",
          sql`UPDATE backup_run SET phase = ${run.phase}, cursor = ${run.cursor}, attempts = ${run.attempts},
            totals = ${JSON.stringify(run.totals)}, finished_at = ${run.finishedAt ?? null},
            outcome = ${run.outcome ?? null}, lease_until = ${until}
            WHERE run = ${run.run} AND holder = ${holder} RETURNING run`
        ).pipe(Effect.map((rows) => rows.length === 1)),
      release: (run, holder) =>
        done(
          "releaseBackup",
          sql`UPDATE backup_run SET lease_until = 0 WHERE run = ${run} AND holder = ${holder}`
        ),
      accounts: (after, limit) =>
        repeatable(
          "accountsToBackUp",
          sql<
            AccountRow & { readonly listed: string }
          >`SELECT accounts.did, version, stamp, versions,
            json_array(handle, email, status, invite, invites_disabled) AS listed
            FROM accounts LEFT JOIN backup_account ON backup_account.did = accounts.did
            WHERE status <> 'reserved' AND accounts.did > ${after} ORDER BY accounts.did LIMIT ${limit}`
        ).pipe(
          Effect.map((rows) =>
            rows.map((row) => ({ did: row.did, listed: row.listed, backed: backedOf(row) }))
          )
        ),
      backed: (after, limit) =>
        repeatable(
          "accountsBackedUp",
          sql<AccountRow>`SELECT did, version, stamp, versions FROM backup_account
            WHERE did > ${after} AND EXISTS (${here}) ORDER BY did LIMIT ${limit}`
        ).pipe(
          Effect.map((rows) =>
            rows.flatMap((row) => {
              const backed = backedOf(row)
              return backed === undefined ? [] : [{ did: row.did, ...backed }]
            })
          )
        ),
      note: (did, { version, stamp, versions }) =>
        done(
          "noteBackup",
          sql`INSERT INTO backup_account (did, version, stamp, versions) VALUES (${did}, ${version}, ${stamp}, ${versions})
            ON CONFLICT (did) DO UPDATE SET version = excluded.version, stamp = excluded.stamp,
            versions = excluded.versions, gone_at = NULL`
        ),
      gone: (after, limit) =>
        repeatable(
          "accountsGone",
          sql<{ did: string; gone_at: number | null }>`SELECT did, gone_at FROM backup_account
            WHERE did > ${after} AND NOT EXISTS (${here}) ORDER BY did LIMIT ${limit}`
        ).pipe(
          Effect.map((rows) =>
            rows.map(({ did, gone_at }) => ({ did, goneAt: gone_at ?? undefined }))
          )
        ),
      noteGone: (did, at) =>
        done("noteGone", sql`UPDATE backup_account SET gone_at = ${at} WHERE did = ${did}`),
      forget: (did) => done("forgetBackup", sql`DELETE FROM backup_account WHERE did = ${did}`),
      reset: Effect.asVoid(
        repeatable(
          "resetBackups",
          batch([
            sql`DELETE FROM backup_account`,
            sql`DELETE FROM backup_run WHERE outcome IS NOT NULL`,
            sql`DELETE FROM backup_mark`
          ])
        )
      ),
      mark: repeatable("markOfBackups", sql<{ id: string }>`SELECT id FROM backup_mark`).pipe(
        Effect.map(([row]) => row?.id)
      ),
      setMark: (id) =>
        done(
          "setMarkOfBackups",
          sql`INSERT OR REPLACE INTO backup_mark (one, id) VALUES (1, ${id})`
        )
    })
  })
)

/** What bounds these tables. */
export const bounds = (): Bounds => ({
  backup_run: {
    filledBy: "the server",
    bound: "the last 400 runs; a hundred faults are named of each",
    bytes: 401 * 128 * 1024,
    per: "host"
  },
  backup_account: {
    filledBy: "the server",
    bound: "one row an account, until its backup is deleted",
    bytes: 5 * 1024,
    per: "account"
  },
  backup_mark: {
    filledBy: "the server",
    bound: "one row",
    bytes: 1024,
    per: "host"
  }
})
