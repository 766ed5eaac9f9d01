import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import type {
  Directory,
  DirectoryEntry,
  DirectoryUnavailable
} from "../../services/accounts/Directory.ts"
import type { Database } from "../host/sql/sqlTables.ts"

type Repeatable = <A>(
  operation: string,
  query: Effect.Effect<A, SqlError>
) => Effect.Effect<A, DirectoryUnavailable>

/** The directory's search, in the order of its index of handles. */
export const make = <Row extends { readonly handle: string }>(
  { sql }: Database,
  repeatable: Repeatable,
  entryOf: (row: Row) => DirectoryEntry
): Pick<Directory["Service"], "search"> => ({
  search: Effect.fn("Directory.search")(function* ({ after = "", limit, text = "", status }) {
    const sought = text.toLowerCase()
    const rows = yield* repeatable(
      "search",
      sql<Row>`SELECT * FROM accounts WHERE handle > ${after} AND status <> 'reserved'
        AND (${sought} = '' OR instr(handle, ${sought}) > 0 OR instr(email, ${sought}) > 0
          OR instr(did, ${text}) > 0)
        AND (${status ?? ""} = '' OR status = ${status ?? ""})
        ORDER BY handle LIMIT ${limit}`
    )
    const last = rows.length < limit ? undefined : rows.at(-1)
    const accounts = rows.map(entryOf)
    return last === undefined ? { accounts } : { accounts, next: last.handle }
  })
})
