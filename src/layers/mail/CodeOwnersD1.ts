import { createHmac } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { normalizeMailedCode } from "../../core/mail/mailedCode.ts"
import { CodeOwners } from "../../services/mail/CodeOwners.ts"
import { Config } from "../../services/host/Config.ts"
import { hkdfKeys } from "../../services/host/derivedSecrets.ts"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** One row an account, found by its code's hash; the account's object checks the code itself. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS reset_code (
    hash TEXT PRIMARY KEY, did TEXT NOT NULL UNIQUE, expires_at INTEGER NOT NULL
  ) WITHOUT ROWID`
]

/** How long a code's owner is known after its expiration, to report it as expired; milliseconds. */
const keptAfter = 24 * 3_600_000

/** The owners of codes in the host's database. */
export const layer: Layer.Layer<CodeOwners, never, HostDatabase | Config> = Layer.effect(
  CodeOwners,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const keys = hkdfKeys(yield* Config, "reset code owners")
    const { sql, batch } = database
    /** The hashes of a code under each key, the current one first. */
    const hashesOf = (code: string): ReadonlyArray<string> =>
      keys.map((key) => createHmac("sha256", key).update(code).digest("base64url"))
    const { repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )

    return CodeOwners.of({
      ownerOf: (typed) => {
        const code = normalizeMailedCode(typed)
        if (code === undefined) return Effect.undefined
        const query = sql<{ did: string }>`SELECT did FROM reset_code
          WHERE hash IN (SELECT value FROM json_each(${JSON.stringify(hashesOf(code))}))`
        return Effect.map(repeatable("ownerOfCode", query), ([row]) => row?.did)
      },
      put: Effect.fn("CodeOwners.put")(function* (code, { did, expiresAt }) {
        const now = yield* Clock.currentTimeMillis
        const [hash = ""] = hashesOf(code)
        yield* repeatable(
          "putCode",
          batch([
            sql`DELETE FROM reset_code WHERE did = ${did} OR expires_at < ${now - keptAfter}`,
            sql`INSERT INTO reset_code (hash, did, expires_at) VALUES (${hash}, ${did}, ${expiresAt})`
          ])
        )
      }),
      remove: (did) =>
        Effect.asVoid(repeatable("removeCode", sql`DELETE FROM reset_code WHERE did = ${did}`)),
      waiting: (now, limit) => {
        const query = sql<{ did: string }>`SELECT did FROM reset_code WHERE expires_at > ${now}
          ORDER BY expires_at DESC LIMIT ${limit}`
        return Effect.map(repeatable("waitingCodes", query), (rows) => rows.map(({ did }) => did))
      }
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  reset_code: {
    filledBy: "anybody who knows the address",
    bound: "one row an account",
    bytes: 5 * 1024,
    per: "account"
  }
})
