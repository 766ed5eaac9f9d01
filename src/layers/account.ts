import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AccountLock from "../services/accounts/AccountLock.ts"
import { AccountStore } from "../services/accounts/AccountStore.ts"
import { Config } from "../services/host/Config.ts"
import { Directory } from "../services/accounts/Directory.ts"
import * as SharedTurn from "../services/host/SharedTurn.ts"
import * as PublicCacheGate from "../services/edge/PublicCacheGate.ts"
import {
  expectedDocument,
  isGivenHere,
  isServedHere
} from "../services/identity/HostedDidDocument.ts"
import * as Passwords from "../services/sessions/Passwords.ts"
import { RepoImport } from "../services/repo/RepoImport.ts"
import { RepoRepair } from "../services/repo/RepoRepair.ts"
import { Preferences } from "../services/accounts/Preferences.ts"
import { SecondFactors } from "../services/factors/SecondFactors.ts"
import { Passkeys } from "../services/factors/Passkeys.ts"
import { PasskeyLinks } from "../services/factors/PasskeyLinks.ts"
import { AccountCodes } from "../services/mail/AccountCodes.ts"
import { AccountLimits } from "../services/limits/AccountLimits.ts"
import { AccountRows } from "../services/backups/AccountRows.ts"
import { PointRows } from "../services/backups/pointInTime/PointRows.ts"
import { SecretRows } from "../services/identity/keys/SecretRows.ts"
import { AccountEvents } from "../services/stream/AccountEvents.ts"
import { MoveIn } from "../services/accounts/MoveIn.ts"
import { PendingDeletion } from "../services/accounts/PendingDeletion.ts"
import { RepoCounts } from "../services/repo/RepoCounts.ts"
import { OAuthSessions } from "../services/oauth/OAuthSessions.ts"
import { AppPasswords } from "../services/sessions/AppPasswords.ts"
import { OwnTokens } from "../services/sessions/OwnTokens.ts"
import { Takedowns } from "../services/accounts/Takedowns.ts"
import { lazily, part } from "./objects/lazily.ts"
import * as AccountHistorySqlite from "./accounts/AccountHistorySqlite.ts"
import * as AccountCodesSqlite from "./mail/AccountCodesSqlite.ts"
import * as AccountEventsOutbox from "./stream/AccountEventsOutbox.ts"
import * as AccountRowsSqlite from "./backups/AccountRowsSqlite.ts"
import * as AccountLimitsSqlite from "./limits/AccountLimitsSqlite.ts"
import * as AccountStoreSqlite from "./accounts/AccountStoreSqlite.ts"
import { accountTables } from "./host/sql/accountTables.ts"
import * as AppPasswordsSqlite from "./sessions/AppPasswordsSqlite.ts"
import * as OwnTokensSqlite from "./sessions/OwnTokensSqlite.ts"
import * as PendingDeletionSqlite from "./accounts/PendingDeletionSqlite.ts"
import * as MoveInSqlite from "./accounts/MoveInSqlite.ts"
import * as PendingMigrationSqlite from "./accounts/PendingMigrationSqlite.ts"
import * as AuthAccount from "./sessions/AuthAccount.ts"
import * as BlobIndexSqlite from "./blobs/BlobIndexSqlite.ts"
import * as BlockStoreSqlite from "./repo/BlockStoreSqlite.ts"
import * as Logging from "./host/Logging.ts"
import * as OAuthSessionsSqlite from "./oauth/OAuthSessionsSqlite.ts"
import * as OutboxSqlite from "./stream/OutboxSqlite.ts"
import * as PasskeyLinksSqlite from "./factors/PasskeyLinksSqlite.ts"
import * as PasskeysSqlite from "./factors/PasskeysSqlite.ts"
import * as PointRowsSqlite from "./backups/PointRowsSqlite.ts"
import * as PreferencesSqlite from "./accounts/PreferencesSqlite.ts"
import * as RecordsSqlite from "./repo/RecordsSqlite.ts"
import * as RepoCountsLocal from "./repo/RepoCountsLocal.ts"
import * as RepoImportSqlite from "./repo/RepoImportSqlite.ts"
import * as RepoRepairSqlite from "./repo/RepoRepairSqlite.ts"
import * as RepoWriter from "../services/repo/write/RepoWriter.ts"
import * as RepoHeadSqlite from "./repo/RepoHeadSqlite.ts"
import * as SecretRowsSqlite from "./identity/SecretRowsSqlite.ts"
import * as SecondFactorsSqlite from "./factors/SecondFactorsSqlite.ts"
import * as SessionsSqlite from "./sessions/SessionsSqlite.ts"
import * as sharedServices from "./host/sharedServices.ts"
import * as SignerAccount from "./identity/SignerAccount.ts"
import * as TracesOtlp from "./operators/TracesOtlp.ts"
import * as TakedownsSqlite from "./accounts/TakedownsSqlite.ts"

/** Resolves this object's account locally; its neighbours' handles are in the directory. */
const local = Effect.gen(function* () {
  const accounts = yield* AccountStore
  const directory = yield* Directory
  const settings = yield* Config
  return (didOrHandle: string) =>
    Effect.gen(function* () {
      const account = accounts.peek()
      const isClaimed = !didOrHandle.startsWith("did:") && !isGivenHere(didOrHandle, settings)
      if (
        account !== undefined &&
        (didOrHandle === account.did || didOrHandle === account.handle)
      ) {
        return Option.some(
          isServedHere(account.did, settings)
            ? { did: account.did, didDoc: expectedDocument(account, settings), isClaimed }
            : { did: account.did, isClaimed }
        )
      }
      if (didOrHandle.startsWith("did:")) return Option.none()
      return yield* directory.byHandle(didOrHandle).pipe(
        Effect.map((entry) =>
          Option.map(Option.fromUndefinedOr(entry), ({ did }) => ({ did, isClaimed }))
        ),
        Effect.catch(sharedServices.orOthers(didOrHandle, settings))
      )
    })
})

/**
 * The services of an account's object, over its storage, its alarm, the log, the directory and the
 * blob store.
 *
 * They are the same in a Durable Object and on Node; only the layers below differ.
 */
export const layer = (object: { readonly did: string; readonly wipe: Effect.Effect<void> }) =>
  Layer.mergeAll(
    AuthAccount.layer,
    AccountLock.layer,
    SharedTurn.layer,
    Passwords.layer,
    TracesOtlp.layer({ reports: false }),
    Logging.layer
  ).pipe(
    Layer.provideMerge(
      lazily(
        part(AccountCodes, AccountCodesSqlite.layer),
        part(AccountEvents, AccountEventsOutbox.layer),
        part(AccountLimits, AccountLimitsSqlite.layer),
        part(AccountRows, AccountRowsSqlite.layer),
        part(AppPasswords, AppPasswordsSqlite.layer),
        part(MoveIn, MoveInSqlite.layer),
        part(OAuthSessions, OAuthSessionsSqlite.layer),
        part(OwnTokens, OwnTokensSqlite.layer),
        part(PasskeyLinks, PasskeyLinksSqlite.layer),
        part(Passkeys, PasskeysSqlite.layer),
        part(PendingDeletion, PendingDeletionSqlite.layer),
        part(PointRows, PointRowsSqlite.layer),
        part(Preferences, PreferencesSqlite.layer),
        part(RepoCounts, RepoCountsLocal.layer),
        part(RepoImport, RepoImportSqlite.layer),
        part(RepoRepair, RepoRepairSqlite.layer),
        part(SecondFactors, SecondFactorsSqlite.layer),
        part(SecretRows, SecretRowsSqlite.layer),
        part(Takedowns, TakedownsSqlite.layer)
      )
    ),
    Layer.provideMerge(
      Layer.mergeAll(SessionsSqlite.layer, PendingMigrationSqlite.layer, RepoWriter.layer)
    ),
    Layer.provideMerge(
      Layer.mergeAll(
        OutboxSqlite.layer,
        BlockStoreSqlite.layer,
        RecordsSqlite.layer,
        RepoHeadSqlite.layer,
        BlobIndexSqlite.layer,
        SignerAccount.layer
      )
    ),
    Layer.provideMerge(Layer.merge(sharedServices.layer(local), PublicCacheGate.layer)),
    Layer.provideMerge(AccountStoreSqlite.layer({ ...object, tables: accountTables })),
    Layer.provideMerge(AccountHistorySqlite.layer)
  )
