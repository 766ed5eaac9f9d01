import type { SqlError } from "effect/sql/SqlError"
import { OAuthStoreUnavailable } from "../../services/oauth/OAuthRequests.ts"
import { queriesOver } from "../host/sql/HostDatabase.ts"
import type { Database } from "../host/sql/sqlTables.ts"

/** Ways to run queries of which a failure is that of the OAuth provider's store. */
export const oauthQueriesOver = (database: Database, tables: ReadonlyArray<string>) =>
  queriesOver(
    database,
    tables,
    (operation) => (cause: SqlError) => new OAuthStoreUnavailable({ operation, cause })
  )
