import { createHmac, type KeyObject, randomBytes } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { formatAppPassword, isAppPassword } from "../../core/sessions/appPassword.ts"
import {
  type AppPassword,
  AppPasswordExists,
  AppPasswordRefused,
  AppPasswords
} from "../../services/sessions/AppPasswords.ts"
import { AccountHistory, noter } from "../../services/accounts/AccountHistory.ts"
import { Config } from "../../services/host/Config.ts"
import * as Passwords from "../../services/sessions/Passwords.ts"
import { Sessions } from "../../services/sessions/Sessions.ts"
import { SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import * as KeptKeys from "./KeptKeysSqlite.ts"
import * as Counts from "./sessionCounts.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** App passwords by name; stores only the password's hash. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS app_password (
    name TEXT PRIMARY KEY, hash TEXT NOT NULL, privileged INTEGER NOT NULL, created_at TEXT NOT NULL
  ) WITHOUT ROWID`,
  // A sign-in looks up the hash and reads one row, however many app passwords there are.
  "CREATE INDEX IF NOT EXISTS app_password_hash ON app_password (hash)",
  // A separate table, because the previous version must still be able to write app passwords.
  `CREATE TABLE IF NOT EXISTS app_password_note (
    name TEXT PRIMARY KEY, scope TEXT, used_at INTEGER NOT NULL
  ) WITHOUT ROWID`,
  ...Counts.tables,
  ...KeptKeys.tables
]

/** The most app passwords of an account, and the most characters in a name. */
export const budget = { passwords: 1000, name: 256 }

/** How exactly the last use is known, in milliseconds: each note writes a row. */
const useGrain = 3_600_000

interface Row extends Record<string, SqlValue> {
  name: string
  privileged: number
  created_at: string
  scope: string | null
  used_at: number | null
}

const fromRow = (row: Row): AppPassword => ({
  name: row.name,
  privileged: row.privileged === 1,
  createdAt: row.created_at,
  ...(row.scope === null ? {} : { scope: row.scope }),
  ...(row.used_at === null || row.used_at === 0 ? {} : { usedAt: row.used_at })
})

/** The stored form of the hash of a password with a scope, which earlier versions don't match. */
const scoped = (hash: string): string => `scoped ${hash}`

/** An account's app passwords in the object's SQLite. */
export const layer: Layer.Layer<
  AppPasswords,
  never,
  SqlStorage | AccountHistory | Sessions | Config
> = Layer.effect(
  AppPasswords,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const sessions = yield* Sessions
    const passwords = yield* Passwords.Passwords
    const history = yield* AccountHistory
    const noting = Effect.provideService(noter, AccountHistory, history)
    const keys = KeptKeys.keptKeys(sql, yield* Config, "app passwords")

    // 80 random bits need no slow hash; the key and the DID make the stored value useless
    // elsewhere.
    const hashOf = (did: string, password: string, key = keys.current): string =>
      createHmac("sha256", key).update(`${did}\0${password}`).digest("base64url")

    const select = (where: string, ...bindings: ReadonlyArray<SqlValue>): Array<AppPassword> =>
      sql
        .exec<Row>(
          `SELECT app_password.name, privileged, created_at, scope, used_at FROM app_password
            LEFT JOIN app_password_note ON app_password_note.name = app_password.name ${where}`,
          ...bindings
        )
        .toArray()
        .map(fromRow)

    /** The adopted app password that matches; it gets a hash of this server's at its first use. */
    const adopted = Effect.fnUntraced(function* (did: string, password: string) {
      const [row] = sql
        .exec<{ hash: string }>("SELECT hash FROM app_password WHERE hash GLOB 'scrypt$*' LIMIT 1")
        .toArray()
      const hash = row && (yield* passwords.hashLike(password, row.hash))
      const [found] = hash === undefined ? [] : select("WHERE hash = ?", hash)
      if (hash !== undefined && found !== undefined) {
        sql.exec("UPDATE app_password SET hash = ? WHERE hash = ?", hashOf(did, password), hash)
      }
      return found
    })

    // Immutable, and gone with the sessions that need it.
    const scopes = new Map<string, string | undefined>()

    const scopeOf = (name: string): string | undefined => {
      if (!scopes.has(name)) {
        const [row] = sql
          .exec<{ scope: string | null }>(
            "SELECT scope FROM app_password_note WHERE name = ?",
            name
          )
          .toArray()
        if (scopes.size >= 32) scopes.clear()
        scopes.set(name, row?.scope ?? undefined)
      }
      return scopes.get(name)
    }

    /** Puts the scope of a new password in place of what an older one of its name may have left. */
    const putScope = (name: string, scope: string | undefined): void => {
      scopes.delete(name)
      if (scope === undefined) sql.exec("DELETE FROM app_password_note WHERE name = ?", name)
      else sql.exec("INSERT OR REPLACE INTO app_password_note VALUES (?, ?, 0)", name, scope)
    }

    // A stored count, because counting reads all rows. Excludes those of the last version.
    const counted = "app passwords"
    const count = (): number =>
      sql
        .exec<{ value: number }>("SELECT value FROM session_note WHERE name = ?", counted)
        .toArray()[0]?.value ?? 0
    const noteCount = (value: number): void => {
      sql.exec(
        "INSERT INTO session_note VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        counted,
        Math.max(0, value)
      )
    }

    return AppPasswords.of({
      create: Effect.fn("AppPasswords.create")(function* (did, given) {
        const { name, scope } = given
        const privileged = given.privileged && scope === undefined
        const now = yield* Clock.currentTimeMillis
        const password = formatAppPassword(randomBytes(10))
        const createdAt = new Date(now).toISOString()
        const note = yield* noting
        if (name.length > budget.name) {
          return yield* new AppPasswordRefused({ reason: "long name", limit: budget.name })
        }
        if (select("WHERE app_password.name = ?", name).length > 0)
          return yield* new AppPasswordExists({ name })
        const there = count()
        if (there >= budget.passwords) {
          return yield* new AppPasswordRefused({ reason: "too many", limit: budget.passwords })
        }
        sql.transaction(() => {
          sql.exec(
            "INSERT INTO app_password (name, hash, privileged, created_at) VALUES (?, ?, ?, ?)",
            name,
            scope === undefined ? hashOf(did, password) : scoped(hashOf(did, password)),
            privileged ? 1 : 0,
            createdAt
          )
          putScope(name, scope)
          noteCount(there + 1)
          note({ kind: "app-password", subject: name })
        })
        return { name, privileged, createdAt, ...(scope === undefined ? {} : { scope }), password }
      }),
      list: Effect.sync(() => select("ORDER BY created_at DESC, app_password.name")),
      revoke: (name) =>
        Effect.map(noting, (note) =>
          sql.transaction(() => {
            const gone = sql.exec("DELETE FROM app_password WHERE name = ?", name).rowsWritten > 0
            if (gone) {
              noteCount(count() - 1)
              note({ kind: "app-password-revoked", subject: name })
            }
            putScope(name, undefined)
            sessions.endOfAppPassword(name)
          })
        ),
      match: (did, password) =>
        Effect.suspend(() => {
          if (!isAppPassword(password)) return Effect.undefined
          const under = (key: KeyObject) => {
            const hash = hashOf(did, password, key)
            // One that should have a scope matches only with it: without, it could do everything.
            const query = "WHERE hash IN (?, ?) AND (hash = ? OR scope IS NOT NULL)"
            return select(query, hash, scoped(hash), hash)[0]
          }
          const found =
            under(keys.current) ??
            keys
              .older()
              .map(under)
              .find((older) => older !== undefined)
          return found === undefined ? adopted(did, password) : Effect.succeed(found)
        }),
      noteUse: (name) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          // Revoked meanwhile, it gets no note: the next one of its name would find it.
          sql.exec(
            `INSERT INTO app_password_note SELECT name, NULL, ? FROM app_password WHERE name = ?
              ON CONFLICT DO UPDATE SET used_at = excluded.used_at WHERE used_at + ? <= excluded.used_at`,
            now,
            name,
            useGrain
          )
        }),
      scopeOf
    })
  })
).pipe(Layer.provide(Passwords.layer))

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  app_password: {
    filledBy: "its owner",
    bound: "1,000 app passwords, names of 256 characters",
    bytes: 2 * 1000 * 1024,
    per: "account"
  },
  app_password_note: {
    filledBy: "its owner",
    bound: "one row an app password, scopes of 2,000 characters",
    bytes: 1000 * 4 * 1024,
    per: "account"
  }
})
