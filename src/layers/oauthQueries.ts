import type { SqlError } from "effect/sql/SqlError"
import { OAuthStoreUnavailable } from "../services/OAuthRequests.ts"
import { queriesOver } from "./HostDatabase.ts"
import type { Database } from "./sqlTables.ts"

/** Ways to run queries of which a failure is that of the OAuth provider's store. */
export const oauthQueriesOver = (database: Database, tables: ReadonlyArray<string>) =>
  queriesOver(
    database,
    tables,
    (operation) => (cause: SqlError) => new OAuthStoreUnavailable({ operation, cause })
  )
