import { createHmac, randomBytes } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { formatAppPassword, isAppPassword } from "../../core/sessions/appPassword.ts"
import {
  type AppPassword,
  AppPasswordExists,
  AppPasswords
} from "../../services/sessions/AppPasswords.ts"
import { Config } from "../../services/host/Config.ts"
import { hkdfKey } from "../../services/host/derivedSecrets.ts"
import { Sessions } from "../../services/sessions/Sessions.ts"
import { SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"

/** App passwords by name; the password itself is there only as a hash. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS app_password (
    name TEXT PRIMARY KEY, hash TEXT NOT NULL, privileged INTEGER NOT NULL, created_at TEXT NOT NULL
  ) WITHOUT ROWID`
]

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

/** The app passwords of an account in the object's SQLite. */
export const layer: Layer.Layer<AppPasswords, never, SqlStorage | Sessions | Config> = Layer.effect(
  AppPasswords,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const sessions = yield* Sessions
    const { masterKey } = yield* Config
    const key = hkdfKey(masterKey, "app passwords")

    // 80 random bits need no slow hash; the key and the DID make the stored value useless elsewhere.
    const hashOf = (did: string, password: string): string =>
      createHmac("sha256", key).update(`${did}\0${password}`).digest("base64url")

    const select = (where: string, ...bindings: ReadonlyArray<SqlValue>): Array<AppPassword> =>
      sql
        .exec<Row>(`SELECT name, privileged, created_at FROM app_password ${where}`, ...bindings)
        .toArray()
        .map(fromRow)

    return AppPasswords.of({
      create: Effect.fn("AppPasswords.create")(function* (did, { name, privileged }) {
        const now = yield* Clock.currentTimeMillis
        const password = formatAppPassword(randomBytes(10))
        const createdAt = new Date(now).toISOString()
        if (select("WHERE name = ?", name).length > 0) return yield* new AppPasswordExists({ name })
        sql.exec(
          "INSERT INTO app_password (name, hash, privileged, created_at) VALUES (?, ?, ?, ?)",
          name,
          hashOf(did, password),
          privileged ? 1 : 0,
          createdAt
        )
        return { name, privileged, createdAt, password }
      }),
      list: Effect.sync(() => select("ORDER BY created_at DESC, name")),
      revoke: (name) =>
        Effect.sync(() =>
          sql.transaction(() => {
            sql.exec("DELETE FROM app_password WHERE name = ?", name)
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
