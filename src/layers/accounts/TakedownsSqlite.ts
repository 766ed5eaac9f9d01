import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import { Takedowns } from "../../services/accounts/Takedowns.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** One row for each record that is taken down, by path; the empty path is the account. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS takedown (path TEXT PRIMARY KEY, ref TEXT NOT NULL) WITHOUT ROWID`
]

const account = ""

/** Keeps takedowns in the object's SQLite. */
export const layer: Layer.Layer<Takedowns, never, SqlStorage> = Layer.effect(
  Takedowns,
  Effect.gen(function* () {
    const sql = yield* SqlStorage

    const find = (path: string): string | undefined =>
      sql.exec<{ ref: string }>("SELECT ref FROM takedown WHERE path = ?", path).toArray()[0]?.ref

    const set = (path: string, ref: string | undefined): void => {
      if (ref === undefined) sql.exec("DELETE FROM takedown WHERE path = ?", path)
      else sql.exec("INSERT OR REPLACE INTO takedown (path, ref) VALUES (?, ?)", path, ref)
    }

    return Takedowns.of({
      account: () => find(account),
      record: find,
      inCollection: (collection) => {
        // "0" follows "/", so the range covers exactly this collection's paths.
        const rows = sql.exec<{ path: string }>(
          "SELECT path FROM takedown WHERE path > ? AND path < ?",
          `${collection}/`,
          `${collection}0`
        )
        return new Set(rows.toArray().map(({ path }) => path))
      },
      setAccount: (ref) => set(account, ref),
      setRecord: set
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  takedown: {
    filledBy: "moderators",
    bound: "one row a record",
    bytes: 10_000_000_000,
    per: "account"
  }
})
