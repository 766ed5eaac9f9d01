import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { AccountStore, RepoNotFound, type Account } from "../../services/accounts/AccountStore.ts"
import { AccountHistory, noter } from "../../services/accounts/AccountHistory.ts"
import type { HistoryEvent } from "../../core/accounts/history.ts"
import { bytesOf, SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import { checkTables, makeTables } from "../host/sql/objectTables.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** The account's row; an object holds at most one account. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS account (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    did TEXT NOT NULL, handle TEXT NOT NULL, email TEXT, email_confirmed INTEGER NOT NULL,
    password TEXT, curve TEXT NOT NULL, wrapped_key BLOB NOT NULL, did_key TEXT NOT NULL,
    deactivated_at TEXT, delete_after TEXT, takedown TEXT, created_at TEXT NOT NULL,
    email_factor INTEGER NOT NULL DEFAULT 0
  )`
]

/** For tables of versions without mailed codes at sign-in. */
const addEmailFactor = "ALTER TABLE account ADD COLUMN email_factor INTEGER NOT NULL DEFAULT 0"

/** The account's row. */
export interface Row extends Record<string, SqlValue> {
  did: string
  handle: string
  email: string | null
  /** In milliseconds; 0 if unconfirmed. */
  email_confirmed: number
  password: string | null
  curve: string
  wrapped_key: ArrayBuffer
  did_key: string
  deactivated_at: string | null
  delete_after: string | null
  takedown: string | null
  created_at: string
  /** In milliseconds; 0 if off; rows of versions without it lack the column. */
  email_factor: number | null
}

const timeOf = (millis: number): string | undefined =>
  millis === 0 ? undefined : new Date(millis).toISOString()

const millisOf = (time: string | undefined): number => (time === undefined ? 0 : Date.parse(time))

/** The account that a row holds. */
// SAFETY: only `bindings` writes curve and takedown, from values of these types.
export const accountOf = (row: Row): Account => ({
  did: row.did,
  handle: row.handle,
  email: row.email ?? undefined,
  emailConfirmedAt: timeOf(row.email_confirmed),
  emailFactorAt: timeOf(row.email_factor ?? 0),
  password: row.password ?? undefined,
  signingKey: {
    curve: row.curve as Account["signingKey"]["curve"],
    wrapped: bytesOf(row.wrapped_key).slice(),
    didKey: row.did_key
  },
  deactivatedAt: row.deactivated_at ?? undefined,
  deleteAfter: row.delete_after ?? undefined,
  takedown: (row.takedown ?? undefined) as Account["takedown"],
  createdAt: row.created_at
})

const bindings = (account: Account): Array<SqlValue> => [
  account.did,
  account.handle,
  account.email ?? null,
  millisOf(account.emailConfirmedAt),
  account.password ?? null,
  account.signingKey.curve,
  account.signingKey.wrapped,
  account.signingKey.didKey,
  account.deactivatedAt ?? null,
  account.deleteAfter ?? null,
  account.takedown ?? null,
  account.createdAt,
  millisOf(account.emailFactorAt)
]

const isMissingTable = (error: unknown): boolean =>
  error instanceof Error && error.message.includes("no such table")

/** Drops every table, which empties a Node database (a Durable Object has `deleteAll`). */
export const dropTables = (sql: SqlStorage["Service"]): void => {
  const names = sql
    .exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*'"
    )
    .toArray()
  sql.transaction(() => {
    for (const { name } of names) sql.exec(`DROP TABLE "${name}"`)
  })
}

/** What the store needs to know about its object. */
export interface AccountStoreOptions {
  /** The DID of this object, named in the failure of an object without an account. */
  readonly did: string
  /** The `tables` of every layer that stores data in the account's object. */
  readonly tables: ReadonlyArray<string>
  /** Deletes the object's storage and its alarm. */
  readonly wipe: Effect.Effect<void>
}

/**
 * Keeps the account's row in the object's SQLite, and in memory after the first read.
 *
 * An object without an account has no tables: reading it finds nothing and writes nothing. With an
 * account, the first read also creates the tables that a newer version added.
 */
export const layer = (
  options: AccountStoreOptions
): Layer.Layer<AccountStore, never, SqlStorage | AccountHistory> =>
  Layer.effect(
    AccountStore,
    Effect.gen(function* () {
      const sql = yield* SqlStorage
      const history = yield* AccountHistory
      let known: { readonly account: Account | undefined } | undefined

      const statements = [...tables, ...options.tables]

      const read = (): Account | undefined => {
        try {
          const [row] = sql.exec<Row>("SELECT * FROM account").toArray()
          if (row === undefined) return undefined
          checkTables(sql, statements)
          if (!("email_factor" in row)) sql.exec(addEmailFactor)
          return accountOf(row)
        } catch (error) {
          if (isMissingTable(error)) return undefined
          throw error
        }
      }

      const peek = (): Account | undefined => (known ??= { account: read() }).account

      const find = () => Result.fromNullishOr(peek(), () => new RepoNotFound({ did: options.did }))

      const get = Effect.suspend(() => Effect.fromResult(find()))

      /** Returns a function that notes an event in the history, if there is one. */
      const noting = Effect.fnUntraced(function* (event: HistoryEvent | undefined) {
        if (event === undefined) return () => {}
        const note = yield* Effect.provideService(noter, AccountHistory, history)
        return () => note(event)
      })

      const create = Effect.fn("AccountStore.create")((account: Account, event?: HistoryEvent) =>
        Effect.map(noting(event), (note) => {
          history.forget()
          sql.transaction(() => {
            makeTables(sql, statements)
            sql.exec(
              `INSERT INTO account (one, did, handle, email, email_confirmed, password, curve, wrapped_key,
                did_key, deactivated_at, delete_after, takedown, created_at, email_factor)
              VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
              ...bindings(account)
            )
            note()
          })
          known = { account }
        })
      )

      const update = Effect.fn("AccountStore.update")(function* (
        change: Partial<Omit<Account, "did" | "createdAt">>,
        event?: HistoryEvent
      ) {
        const note = yield* noting(event)
        const changed: Account = { ...(yield* get), ...change }
        sql.transaction(() => {
          sql.exec(
            `UPDATE account SET did = ?, handle = ?, email = ?, email_confirmed = ?, password = ?, curve = ?,
              wrapped_key = ?, did_key = ?, deactivated_at = ?, delete_after = ?, takedown = ?, created_at = ?,
              email_factor = ?`,
            ...bindings(changed)
          )
          note()
        })
        known = { account: changed }
        return changed
      })

      const destroy = Effect.suspend(() => {
        // What still runs must not find the next account of this DID.
        known = { account: undefined }
        history.forget()
        return Effect.onError(options.wipe, () => Effect.sync(() => (known = undefined)))
      })

      return AccountStore.of({ get, find, peek, create, update, destroy })
    })
  )

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  account: {
    filledBy: "its owner",
    bound: "one row",
    bytes: 8192,
    per: "account"
  }
})
