import { createHmac, randomBytes } from "node:crypto"
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
import { hkdfKey } from "../../services/host/derivedSecrets.ts"
import { Sessions } from "../../services/sessions/Sessions.ts"
import { SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import * as Counts from "./sessionCounts.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** App passwords by name; stores only the password's hash. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS app_password (
    name TEXT PRIMARY KEY, hash TEXT NOT NULL, privileged INTEGER NOT NULL, created_at TEXT NOT NULL
  ) WITHOUT ROWID`,
  // A sign-in looks up the hash and reads one row, however many app passwords there are.
  "CREATE INDEX IF NOT EXISTS app_password_hash ON app_password (hash)",
  ...Counts.tables
]

/** The most app passwords of an account, and the most characters in a name. */
export const budget = { passwords: 1000, name: 256 }

interface Row extends Record<string, SqlValue> {
  name: string
  privileged: number
  created_at: string
}

const fromRow = (row: Row): AppPassword => ({
  name: row.name,
  privileged: row.privileged === 1,
  createdAt: row.created_at
})

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
    const history = yield* AccountHistory
    const noting = Effect.provideService(noter, AccountHistory, history)
    const { masterKey } = yield* Config
    const key = hkdfKey(masterKey, "app passwords")

    // 80 random bits need no slow hash; the key and the DID make the stored value useless
    // elsewhere.
    const hashOf = (did: string, password: string): string =>
      createHmac("sha256", key).update(`${did}\0${password}`).digest("base64url")

    const select = (where: string, ...bindings: ReadonlyArray<SqlValue>): Array<AppPassword> =>
      sql
        .exec<Row>(`SELECT name, privileged, created_at FROM app_password ${where}`, ...bindings)
        .toArray()
        .map(fromRow)

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
      create: Effect.fn("AppPasswords.create")(function* (did, { name, privileged }) {
        const now = yield* Clock.currentTimeMillis
        const password = formatAppPassword(randomBytes(10))
        const createdAt = new Date(now).toISOString()
        const note = yield* noting
        if (name.length > budget.name) {
          return yield* new AppPasswordRefused({ reason: "long name", limit: budget.name })
        }
        if (select("WHERE name = ?", name).length > 0) return yield* new AppPasswordExists({ name })
        const there = count()
        if (there >= budget.passwords) {
          return yield* new AppPasswordRefused({ reason: "too many", limit: budget.passwords })
        }
        sql.transaction(() => {
          sql.exec(
            "INSERT INTO app_password (name, hash, privileged, created_at) VALUES (?, ?, ?, ?)",
            name,
            hashOf(did, password),
            privileged ? 1 : 0,
            createdAt
          )
          noteCount(there + 1)
          note({ kind: "app-password", subject: name })
        })
        return { name, privileged, createdAt, password }
      }),
      list: Effect.sync(() => select("ORDER BY created_at DESC, name")),
      revoke: (name) =>
        Effect.map(noting, (note) =>
          sql.transaction(() => {
            const gone = sql.exec("DELETE FROM app_password WHERE name = ?", name).rowsWritten > 0
            if (gone) {
              noteCount(count() - 1)
              note({ kind: "app-password-revoked", subject: name })
            }
            sessions.endOfAppPassword(name)
          })
        ),
      match: (did, password) =>
        Effect.sync(() =>
          isAppPassword(password) ? select("WHERE hash = ?", hashOf(did, password))[0] : undefined
        )
    })
  })
)

/** The limits of these tables. */
export const bounds: Bounds = {
  app_password: {
    filledBy: "its owner",
    bound: "1,000 app passwords, names of 256 characters",
    bytes: 2 * 1000 * 1024,
    per: "account"
  }
}
