import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PasskeyLinks } from "../../services/factors/PasskeyLinks.ts"
import { SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import { hashOf, randomText } from "../host/secretText.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** The only link that may be valid, by its secret's hash. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS passkey_link (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    hash TEXT NOT NULL, expires_at INTEGER NOT NULL, password_version TEXT NOT NULL
  )`
]

/** 128 random bits: short enough for a QR code that a camera can read from a terminal. */
const secretBytes = 16

interface Row extends Record<string, SqlValue> {
  expires_at: number
  password_version: string
}

/** The link in the object's SQLite. */
export const layer: Layer.Layer<PasskeyLinks, never, SqlStorage> = Layer.effect(
  PasskeyLinks,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    return PasskeyLinks.of({
      make: ({ expiresAt, passwordVersion }) =>
        Effect.sync(() => {
          const secret = randomText(secretBytes)
          sql.exec(
            `INSERT INTO passkey_link VALUES (1, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET
              hash = excluded.hash, expires_at = excluded.expires_at,
              password_version = excluded.password_version`,
            hashOf(secret),
            expiresAt,
            passwordVersion
          )
          return secret
        }),
      find: Effect.fn("PasskeyLinks.find")(function* (secret) {
        const now = yield* Clock.currentTimeMillis
        const [row] = sql
          .exec<Row>(
            "SELECT expires_at, password_version FROM passkey_link WHERE hash = ? AND expires_at > ?",
            hashOf(secret),
            now
          )
          .toArray()
        return row && { expiresAt: row.expires_at, passwordVersion: row.password_version }
      }),
      use: (secret) =>
        sql.exec("DELETE FROM passkey_link WHERE hash = ? RETURNING one", hashOf(secret)).toArray()
          .length > 0,
      revoke: () => {
        sql.exec("DELETE FROM passkey_link")
      }
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  passkey_link: {
    filledBy: "its owner",
    bound: "one row",
    bytes: 1024,
    per: "account"
  }
})
