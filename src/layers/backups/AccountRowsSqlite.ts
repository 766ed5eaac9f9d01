import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Row } from "../../core/backups/rows.ts"
import { AccountRows } from "../../services/backups/AccountRows.ts"
import { digestOf } from "../../services/backups/digests.ts"
import { accountOf, type Row as AccountRow } from "../accounts/AccountStoreSqlite.ts"
import { BlobIndex } from "../../services/blobs/BlobIndex.ts"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import { Repo } from "../../services/repo/Repo.ts"

type Sql = SqlStorage["Service"]

/** The tables of an account's object that a backup contains, with the columns that order their rows. */
export const kept = {
  account: "one",
  announced: "one",
  arrival: "one",
  preferences: "namespace",
  takedown: "path",
  authenticator: "in_force",
  recovery_code: "hash",
  passkey: "id",
  app_password: "name",
  app_password_note: "name",
  own_token: "hash",
  older_key: "master",
  oauth_consent: "client",
  account_history: "seq",
  held_deletion: "one",
  blob_quota: "one"
} as const

/** The tables whose content a backup has in another form. */
export const elsewhere = {
  head: "the CAR's commit",
  cluster: "the CAR",
  record: "the CAR",
  backlink: "derived from the records",
  blob: "the list of blobs; takedowns are among the rows",
  blob_ref: "derived from the records"
} as const

/** The tables that a backup omits, with the reason. */
export const leftOut = {
  session: "people sign in again",
  session_origin: "about sessions",
  session_note: "numbers about the sessions",
  oauth_session: "apps sign in again",
  oauth_over: "expires after ten minutes",
  oauth_origin: "about sessions",
  oauth_proof: "about sessions",
  move_in: "a session at another server, which the owner opens again",
  mailed_code: "expires after 15 minutes",
  passkey_link: "expires after 15 minutes",
  wrong_code: "expires after 15 minutes",
  refused_code: "expires after a day",
  spent: "expires after a day",
  outbox: "on its way to the event log",
  outbox_part: "on its way to the event log",
  blob_wait: "when the next sweep is",
  blob_usage: "counted again",
  schema_version: "written by the version that restores"
} as const

/** The name under which the rows include blob takedowns. */
export const blobTakedowns = "blob_takedown"

/** A row with bytes as Uint8Array; the driver returns either form. */
export const rowOf = (row: Record<string, SqlValue>): Row =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      value instanceof ArrayBuffer ? new Uint8Array(value) : value
    ])
  )

const rowsOf = (sql: Sql): Record<string, ReadonlyArray<Row>> => ({
  ...Object.fromEntries(
    Object.entries(kept).map(([table, order]) => [
      table,
      sql.exec(`SELECT * FROM ${table} ORDER BY ${order}`).toArray().map(rowOf)
    ])
  ),
  [blobTakedowns]: sql
    .exec("SELECT id AS cid, takedown FROM blob WHERE takedown IS NOT NULL ORDER BY id")
    .toArray()
    .map(rowOf)
})

/** Inserts rows, by the names of their columns; replaces existing ones. */
export const insert = (sql: Sql, table: string, rows: ReadonlyArray<Row>): void => {
  for (const row of rows) {
    const columns = Object.keys(row).filter((column) => /^\w+$/.test(column))
    const places = columns.map(() => "?").join(", ")
    sql.exec(
      `INSERT OR REPLACE INTO ${table} (${columns.join(", ")}) VALUES (${places})`,
      ...columns.map((column) => row[column] ?? null)
    )
  }
}

/** The rows of an account's object. */
export const layer = Layer.effect(
  AccountRows,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const accounts = yield* AccountStore
    const repo = yield* Repo
    const blobs = yield* BlobIndex

    return AccountRows.of({
      state: Effect.gen(function* () {
        const { signingKey } = yield* accounts.get
        const { rev } = yield* repo.head
        const [row] = sql
          .exec<{ awaited: number }>("SELECT count(*) AS awaited FROM blob WHERE state = 2")
          .toArray()
        return {
          rev,
          signingKey: signingKey.didKey,
          digest: digestOf(rowsOf(sql)),
          awaited: row?.awaited ?? 0
        }
      }),
      checkState: Effect.gen(function* () {
        const { signingKey } = yield* accounts.get
        const { rev, records, nodes } = yield* repo.head
        const inState = (state: number) =>
          sql
            .exec<{ id: string }>("SELECT id FROM blob WHERE state = ?", state)
            .toArray()
            .map(({ id }) => id)
        const { didKey } = signingKey
        const referred = inState(3)
        return { rev, records, nodes, signingKey: didKey, referred, awaited: inState(2) }
      }),
      create: Effect.fn("AccountRows.create")(function* ({ account = [], ...tables }) {
        const [row] = account
        if (row === undefined) return yield* Effect.die(new Error("a backup without an account"))
        // SAFETY: the row was read from this table.
        yield* accounts.create(accountOf(row as AccountRow))
        sql.transaction(() => {
          for (const table of Object.keys(kept)) insert(sql, table, tables[table] ?? [])
        })
      }),
      putPreferences: ({ preferences = [] }) =>
        sql.transaction(() => {
          sql.exec("DELETE FROM preferences")
          insert(sql, "preferences", preferences)
        }),
      putBlobTakedowns: ({ [blobTakedowns]: rows = [] }) => {
        for (const { cid, takedown } of rows) blobs.setTakedown(String(cid), String(takedown))
      },
      rows: () => rowsOf(sql),
      blobs: (page) => {
        const { items, cursor } = blobs.own(page)
        return {
          items: items.map(({ cid, key, mimeType, size }) => ({ cid, key, mimeType, size })),
          cursor
        }
      }
    })
  })
)
