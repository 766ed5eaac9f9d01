import { createHmac, randomBytes } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AccountHistory, noter } from "../../services/accounts/AccountHistory.ts"
import { formatOwnToken, isOwnToken } from "../../core/sessions/bearerToken.ts"
import { Config } from "../../services/host/Config.ts"
import { SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import { type OwnToken, OwnTokenRefused, OwnTokens } from "../../services/sessions/OwnTokens.ts"
import * as KeptKeys from "./KeptKeysSqlite.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** Access tokens by hash; times in milliseconds, `used_at` 0 if never. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS own_token (
    hash TEXT PRIMARY KEY, name TEXT NOT NULL, scope TEXT NOT NULL, created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, used_at INTEGER NOT NULL
  ) WITHOUT ROWID`,
  ...KeptKeys.tables
]

/** The most tokens of an account, and the most characters in a name. */
export const budget = { tokens: 100, name: 64 }

/** How exactly the last use is known, in milliseconds: each note writes a row. */
const useGrain = 3_600_000

interface Row extends Record<string, SqlValue> {
  hash: string
  name: string
  scope: string
  created_at: number
  expires_at: number
  used_at: number
}

const fromRow = (row: Row): OwnToken => ({
  name: row.name,
  scope: row.scope,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  ...(row.used_at === 0 ? {} : { usedAt: row.used_at })
})

/** An account's access tokens in the object's SQLite; their rows are few, so all are in memory. */
export const layer: Layer.Layer<OwnTokens, never, SqlStorage | AccountHistory | Config> =
  Layer.effect(
    OwnTokens,
    Effect.gen(function* () {
      const sql = yield* SqlStorage
      const history = yield* AccountHistory
      const noting = Effect.provideService(noter, AccountHistory, history)
      const keys = KeptKeys.keptKeys(sql, yield* Config, "own tokens")
      // 256 random bits need no slow hash; the key makes the stored value useless elsewhere.
      const hashOf = (did: string, token: string, key = keys.current): string =>
        createHmac("sha256", key).update(`${did}\0${token}`).digest("base64url")

      let kept: ReadonlyMap<string, Row> | undefined

      const rows = (): ReadonlyMap<string, Row> =>
        (kept ??= new Map(
          sql
            .exec<Row>("SELECT * FROM own_token")
            .toArray()
            .map((row) => [row.hash, row])
        ))

      /** A token's row, whichever key made its hash. */
      const rowOf = (did: string, token: string): Row | undefined => {
        const known = rows()
        const found = known.get(hashOf(did, token))
        if (found !== undefined || known.size === 0) return found
        return keys
          .older()
          .map((key) => known.get(hashOf(did, token, key)))
          .find((row) => row !== undefined)
      }

      const change = (query: string, ...bindings: ReadonlyArray<SqlValue>): void => {
        kept = undefined
        sql.exec(query, ...bindings)
      }

      return OwnTokens.of({
        create: Effect.fn("OwnTokens.create")(function* (did, { name, scope, expiresAt }) {
          const createdAt = yield* Clock.currentTimeMillis
          const token = formatOwnToken(did, randomBytes(32))
          const there = [...rows().values()]
          if (name === "" || name.length > budget.name) {
            return yield* new OwnTokenRefused({ reason: "bad name", limit: budget.name })
          }
          if (there.some((row) => row.name === name)) {
            return yield* new OwnTokenRefused({ reason: "name taken", limit: budget.tokens })
          }
          if (there.length >= budget.tokens) {
            return yield* new OwnTokenRefused({ reason: "too many", limit: budget.tokens })
          }
          const note = yield* noting
          sql.transaction(() => {
            change(
              "INSERT INTO own_token VALUES (?, ?, ?, ?, ?, 0)",
              hashOf(did, token),
              name,
              scope,
              createdAt,
              expiresAt
            )
            note({ kind: "access-token", subject: name })
          })
          return { name, scope, createdAt, expiresAt, token }
        }),
        list: Effect.sync(() =>
          [...rows().values()].map(fromRow).toSorted((a, b) => b.createdAt - a.createdAt)
        ),
        has: (name) => [...rows().values()].some((row) => row.name === name),
        revoke: (name) =>
          Effect.map(noting, (note) =>
            sql.transaction(() => {
              if (![...rows().values()].some((row) => row.name === name)) return
              change("DELETE FROM own_token WHERE name = ?", name)
              note({ kind: "access-token-revoked", subject: name })
            })
          ),
        use: (did, token) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            const row = isOwnToken(token) ? rowOf(did, token) : undefined
            if (row === undefined || row.expires_at <= now) return undefined
            if (row.used_at + useGrain <= now) {
              change("UPDATE own_token SET used_at = ? WHERE hash = ?", now, row.hash)
            }
            return fromRow(row)
          })
      })
    })
  )

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  own_token: {
    filledBy: "its owner",
    bound: "100 tokens, scopes of 2,000 characters",
    bytes: 100 * 4 * 1024,
    per: "account"
  }
})
