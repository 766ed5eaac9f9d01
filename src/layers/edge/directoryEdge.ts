import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import type {
  Directory,
  DirectoryUnavailable,
  EdgeState
} from "../../services/accounts/Directory.ts"
import type { Database } from "../host/sql/sqlTables.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** One row for each account that was ever cached at the edge, or had something withdrawn. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS edge (
    did TEXT PRIMARY KEY, epoch INTEGER NOT NULL, open INTEGER NOT NULL
  ) WITHOUT ROWID`
]

/** Ends an account's epoch, if it has one. */
export const endEpoch = ({ sql }: Database, did: string) =>
  sql<object>`UPDATE edge SET epoch = epoch + 1, open = 0 WHERE did = ${did}`

/** Forgets an account's epochs. */
export const forgetEpochs = ({ sql }: Database, did: string) =>
  sql<object>`DELETE FROM edge WHERE did = ${did}`

/** The directory's methods that open and shut accounts at the edge. */
export const make = (
  { sql }: Database,
  repeatable: <A>(
    operation: string,
    query: Effect.Effect<A, SqlError>
  ) => Effect.Effect<A, DirectoryUnavailable>
): Pick<Directory["Service"], "edgeOf" | "openEdge" | "shutEdge"> => ({
  edgeOf: (did) =>
    repeatable(
      "edgeOf",
      sql<{ epoch: number; open: number }>`SELECT epoch, open FROM edge WHERE did = ${did}`
    ).pipe(
      Effect.map(([row]): EdgeState | undefined =>
        row === undefined ? undefined : { epoch: row.epoch, isOpen: row.open !== 0 }
      )
    ),
  openEdge: Effect.fnUntraced(function* (did, epoch) {
    const now = yield* Clock.currentTimeMillis
    // The first epoch is a time, so a returning account starts after all its earlier ones.
    const opened = yield* repeatable(
      "openEdge",
      sql<{ epoch: number }>`INSERT INTO edge (did, epoch, open)
        SELECT did, ${now}, 1 FROM accounts WHERE did = ${did} AND status = 'active'
        ON CONFLICT (did) DO UPDATE SET open = 1 WHERE epoch = ${epoch ?? null}
        RETURNING epoch`
    )
    return opened[0]?.epoch
  }),
  shutEdge: Effect.fnUntraced(function* (did) {
    const now = yield* Clock.currentTimeMillis
    yield* repeatable(
      "shutEdge",
      sql`INSERT INTO edge (did, epoch, open) VALUES (${did}, ${now}, 0)
        ON CONFLICT (did) DO UPDATE SET epoch = epoch + 1, open = 0`
    )
  })
})

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  edge: {
    filledBy: "readers of an account",
    bound: "one row an account",
    bytes: 5 * 1024,
    per: "account"
  }
})
