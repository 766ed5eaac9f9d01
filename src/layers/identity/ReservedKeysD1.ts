import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { rewrapReserved } from "../../services/identity/keys/rewrapReserved.ts"
import { fromBase64Url, toBase64Url } from "../../core/bytes/base64url.ts"
import { Config } from "../../services/host/Config.ts"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import { Keys, KeyUnreadable } from "../../services/identity/Keys.ts"
import { ReservedKeys, ReservedKeysFull } from "../../services/identity/ReservedKeys.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/**
 * One row a DID: its key, wrapped with the master key, in base64url. A key without a DID is stored
 * under its own did:key.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS reserved_key (
    did TEXT PRIMARY KEY, did_key TEXT NOT NULL, wrapped TEXT NOT NULL, created_at INTEGER NOT NULL
  ) WITHOUT ROWID`
]

/** How long a key waits for its account, in milliseconds. */
const keptFor = 30 * 24 * 3_600_000

/** How many keys may wait: none is dropped for another, since a DID document may name it. */
export const budget = { keys: 10_000 }

/** Rows read at a time. */
const rewrapAtOnce = 500

interface Row {
  readonly did: string
  readonly did_key: string
  readonly wrapped: string
}

/** Reserved keys in the host's database. */
export const layer: Layer.Layer<ReservedKeys, never, HostDatabase | Keys | Config> = Layer.effect(
  ReservedKeys,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const keys = yield* Keys
    const { signingCurve } = yield* Config
    const { sql, batch } = database
    const { repeatable } = queriesOver(
      database,
      tables,
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )

    const make = Effect.gen(function* () {
      const key = yield* keys.generate(signingCurve)
      return { didKey: key.didKey, wrapped: toBase64Url(yield* keys.wrap(key.didKey, key)) }
    })

    return ReservedKeys.of({
      reserve: Effect.fn("ReservedKeys.reserve")(function* (did) {
        const now = yield* Clock.currentTimeMillis
        const { didKey, wrapped } = yield* make
        const owner = did ?? didKey
        // With concurrent calls the first one's key wins, and all return it.
        const [, , found] = yield* repeatable(
          "reserveKey",
          batch([
            sql`DELETE FROM reserved_key WHERE created_at < ${now - keptFor}`,
            sql`INSERT OR IGNORE INTO reserved_key (did, did_key, wrapped, created_at)
              SELECT ${owner}, ${didKey}, ${wrapped}, ${now}
              WHERE (SELECT count(*) FROM reserved_key) < ${budget.keys}`,
            sql`SELECT did_key FROM reserved_key WHERE did = ${owner}`
          ])
        )
        // SAFETY: the last statement returns rows with this column.
        const [row] = (found ?? []) as ReadonlyArray<Pick<Row, "did_key">>
        return row?.did_key ?? (yield* new ReservedKeysFull())
      }),
      find: Effect.fn("ReservedKeys.find")(function* (did, didKeys = []) {
        const rows = yield* repeatable(
          "findKey",
          sql<Row>`SELECT did, did_key, wrapped FROM reserved_key
            WHERE did IN (SELECT value FROM json_each(${JSON.stringify([did, ...didKeys])}))`
        )
        // A key reserved without a DID is stored under itself.
        const named = rows.find(({ did: owner, did_key }) => owner === did_key && owner !== did)
        const row = named ?? rows.find(({ did: owner }) => owner === did)
        if (row === undefined) return undefined
        const wrapped = fromBase64Url(row.wrapped)
        if (wrapped === undefined) return yield* new KeyUnreadable({ owner: row.did_key })
        return yield* keys.unwrap(row.did_key, wrapped)
      }),
      rewrap: Effect.gen(function* () {
        let after = ""
        let changed = 0
        let unreadable = 0
        while (true) {
          const rows = yield* repeatable(
            "keysToRewrap",
            sql<Row>`SELECT did, did_key, wrapped FROM reserved_key
              WHERE did > ${after} ORDER BY did LIMIT ${rewrapAtOnce}`
          )
          for (const row of rows) {
            const rewrapped = yield* rewrapReserved(keys, row)
            if (rewrapped === "unreadable") unreadable += 1
            if (typeof rewrapped === "string" || rewrapped === undefined) continue
            changed += 1
            yield* repeatable(
              "rewrapKey",
              sql`UPDATE reserved_key SET wrapped = ${rewrapped.wrapped}
                WHERE did = ${row.did} AND wrapped = ${row.wrapped}`
            )
          }
          after = rows.at(-1)?.did ?? ""
          if (rows.length < rewrapAtOnce) return { changed, unreadable }
        }
      }),
      remove: (did) =>
        Effect.asVoid(repeatable("removeKey", sql`DELETE FROM reserved_key WHERE did = ${did}`))
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  reserved_key: {
    filledBy: "anybody",
    bound: "10,000 keys, then another is refused; 30 days each",
    bytes: 10_000 * 5 * 1024,
    per: "host"
  }
})
