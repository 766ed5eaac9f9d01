import { createHmac, randomBytes } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  formatMailedCode,
  mailedCodeBytes,
  normalizeMailedCode
} from "../../core/mail/mailedCode.ts"
import {
  AccountCodes,
  CodeExpired,
  CodeInvalid,
  codeLife,
  type CodePurpose,
  type CodeRefused,
  type PendingCode
} from "../../services/mail/AccountCodes.ts"
import { Config } from "../../services/host/Config.ts"
import { hkdfKeys } from "../../services/host/derivedSecrets.ts"
import { bytesOf, SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import { sealer } from "../../services/host/sealedSecrets.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/**
 * One row a purpose: the code as a keyed hash, also sealed if it may be shown, and the number of
 * wrong attempts.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS mailed_code (
    purpose TEXT PRIMARY KEY, hash TEXT NOT NULL, sealed BLOB, expires_at INTEGER NOT NULL,
    wrong INTEGER NOT NULL
  ) WITHOUT ROWID`
]

/** How many wrong attempts end a code. */
const maxWrong = 10

interface Row extends Record<string, SqlValue> {
  purpose: string
  hash: string
  sealed: ArrayBuffer | null
  expires_at: number
  wrong: number
}

const text = { encode: new TextEncoder(), decode: new TextDecoder() }

/** What a sealed code is bound to. */
const ownerOf = (did: string, purpose: string): string => `${did} ${purpose}`

/** An account's mailed codes in the object's SQLite; checks each in one turn. */
export const layer: Layer.Layer<AccountCodes, never, SqlStorage | Config> = Layer.effect(
  AccountCodes,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const config = yield* Config
    const secrets = sealer(config, "mailed codes shown")
    const keys = hkdfKeys(config, "mailed codes")

    // 50 random bits need no slow hash as long as a reader of the storage lacks the key.
    /** The hashes of a code under each key, the current one first. */
    const hashesOf = (purpose: CodePurpose, code: string): ReadonlyArray<string> =>
      keys.map((key) => createHmac("sha256", key).update(`${purpose} ${code}`).digest("base64url"))

    const remove = (purpose: CodePurpose): void => {
      sql.exec("DELETE FROM mailed_code WHERE purpose = ?", purpose)
    }

    const judge = (purpose: CodePurpose, typed: string, now: number): CodeRefused | undefined => {
      const query = "SELECT * FROM mailed_code WHERE purpose = ?"
      const [row] = sql.exec<Row>(query, purpose).toArray()
      if (row === undefined) return new CodeInvalid({ purpose })
      const code = normalizeMailedCode(typed)
      if (code !== undefined && hashesOf(purpose, code).includes(row.hash)) {
        return row.expires_at > now ? undefined : new CodeExpired({ purpose })
      }
      if (row.wrong + 1 >= maxWrong) remove(purpose)
      else sql.exec("UPDATE mailed_code SET wrong = wrong + 1 WHERE purpose = ?", purpose)
      return new CodeInvalid({ purpose })
    }

    const judged = (purpose: CodePurpose, code: string, good: () => void) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const refused = judge(purpose, code, now)
        if (refused !== undefined) return Effect.fail(refused)
        return Effect.sync(good)
      })

    const opened = Effect.fnUntraced(function* (did: string, row: Row) {
      const sealed = bytesOf(row.sealed ?? undefined)
      const code = text.decode.decode(yield* secrets.open(ownerOf(did, row.purpose), sealed))
      // SAFETY: `make` wrote the purpose, from a value of this type.
      const purpose = row.purpose as CodePurpose
      return { purpose, code, expiresAt: row.expires_at } satisfies PendingCode
    })

    return AccountCodes.of({
      make: Effect.fn("AccountCodes.make")(function* (did, purpose, { readable }) {
        const code = formatMailedCode(randomBytes(mailedCodeBytes))
        const owner = ownerOf(did, purpose)
        const sealed = readable ? yield* secrets.seal(owner, text.encode.encode(code)) : null
        const expiresAt = (yield* Clock.currentTimeMillis) + codeLife
        const [hash = ""] = hashesOf(purpose, code)
        sql.exec(
          `INSERT INTO mailed_code VALUES (?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET hash = excluded.hash,
            sealed = excluded.sealed, expires_at = excluded.expires_at, wrong = 0`,
          purpose,
          hash,
          sealed,
          expiresAt
        )
        return { purpose, code, expiresAt }
      }),
      check: (purpose, code) => judged(purpose, code, () => {}),
      use: (purpose, code) => judged(purpose, code, () => remove(purpose)),
      pending: Effect.fn("AccountCodes.pending")(function* (did) {
        const now = yield* Clock.currentTimeMillis
        const rows = sql
          .exec<Row>(
            "SELECT * FROM mailed_code WHERE sealed IS NOT NULL AND expires_at > ? ORDER BY purpose",
            now
          )
          .toArray()
        return yield* Effect.forEach(rows, (row) => opened(did, row))
      }),
      revoke: (purposes) => Effect.sync(() => purposes.forEach(remove))
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  mailed_code: {
    filledBy: "its owner",
    bound: "one row a purpose",
    bytes: 8 * 1024,
    per: "account"
  }
})
