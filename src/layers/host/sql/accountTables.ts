import * as AccountCodes from "../../mail/AccountCodesSqlite.ts"
import * as AccountHistory from "../../accounts/AccountHistorySqlite.ts"
import * as AccountEvents from "../../stream/AccountEventsOutbox.ts"
import * as AccountLimits from "../../limits/AccountLimitsSqlite.ts"
import * as AppPasswords from "../../sessions/AppPasswordsSqlite.ts"
import * as OwnTokens from "../../sessions/OwnTokensSqlite.ts"
import * as PendingDeletion from "../../accounts/PendingDeletionSqlite.ts"
import * as MoveIn from "../../accounts/MoveInSqlite.ts"
import * as PendingMigration from "../../accounts/PendingMigrationSqlite.ts"
import * as BlobRows from "../../blobs/blobRows.ts"
import * as BlockStore from "../../repo/BlockStoreSqlite.ts"
import * as RepoHead from "../../repo/RepoHeadSqlite.ts"
import * as OAuthSessions from "../../oauth/OAuthSessionsSqlite.ts"
import * as Outbox from "../../stream/outboxRows.ts"
import * as PasskeyLinks from "../../factors/PasskeyLinksSqlite.ts"
import * as Passkeys from "../../factors/PasskeysSqlite.ts"
import * as Preferences from "../../accounts/PreferencesSqlite.ts"
import * as Records from "../../repo/RecordsSqlite.ts"
import * as SecondFactors from "../../factors/SecondFactorsSqlite.ts"
import * as Sessions from "../../sessions/SessionsSqlite.ts"
import * as Takedowns from "../../accounts/TakedownsSqlite.ts"

/** The tables of an account's object except for the account's own row; created with the account. */
export const accountTables: ReadonlyArray<string> = [
  ...RepoHead.tables,
  ...BlockStore.tables,
  ...Records.tables,
  ...BlobRows.tables,
  ...Outbox.tables,
  ...AccountEvents.tables,
  ...MoveIn.tables,
  ...PendingMigration.tables,
  ...PendingDeletion.tables,
  ...Sessions.tables,
  ...OAuthSessions.tables,
  ...AppPasswords.tables,
  ...OwnTokens.tables,
  ...SecondFactors.tables,
  ...Passkeys.tables,
  ...PasskeyLinks.tables,
  ...AccountCodes.tables,
  ...AccountLimits.tables,
  ...Preferences.tables,
  ...Takedowns.tables,
  ...AccountHistory.tables
]
