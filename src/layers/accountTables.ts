import * as AccountCodes from "./AccountCodesSqlite.ts"
import * as AccountEvents from "./AccountEventsOutbox.ts"
import * as AccountLimits from "./AccountLimitsSqlite.ts"
import * as AppPasswords from "./AppPasswordsSqlite.ts"
import * as Arrival from "./ArrivalSqlite.ts"
import * as BlobRows from "./blobRows.ts"
import * as BlockStore from "./BlockStoreSqlite.ts"
import * as HeadRow from "./headRow.ts"
import * as OAuthSessions from "./OAuthSessionsSqlite.ts"
import * as Outbox from "./OutboxSqlite.ts"
import * as PasskeyLinks from "./PasskeyLinksSqlite.ts"
import * as Passkeys from "./PasskeysSqlite.ts"
import * as Preferences from "./PreferencesSqlite.ts"
import * as Records from "./RecordsSqlite.ts"
import * as SecondFactors from "./SecondFactorsSqlite.ts"
import * as Sessions from "./SessionsSqlite.ts"
import * as Takedowns from "./TakedownsSqlite.ts"

/** The tables of an account's object, but for the account's own row: made when the account is. */
export const accountTables: ReadonlyArray<string> = [
  ...HeadRow.tables,
  ...BlockStore.tables,
  ...Records.tables,
  ...BlobRows.tables,
  ...Outbox.tables,
  ...AccountEvents.tables,
  ...Arrival.tables,
  ...Sessions.tables,
  ...OAuthSessions.tables,
  ...AppPasswords.tables,
  ...SecondFactors.tables,
  ...Passkeys.tables,
  ...PasskeyLinks.tables,
  ...AccountCodes.tables,
  ...AccountLimits.tables,
  ...Preferences.tables,
  ...Takedowns.tables
]
