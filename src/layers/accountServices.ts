import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AccountLock from "../services/AccountLock.ts"
import { AccountStore } from "../services/AccountStore.ts"
import { Config } from "../services/Config.ts"
import { Directory } from "../services/Directory.ts"
import * as EdgeGate from "../services/EdgeGate.ts"
import { expectedDocument, isServedHere } from "../services/OwnDocument.ts"
import * as Passwords from "../services/Passwords.ts"
import * as AccountCodesSqlite from "./AccountCodesSqlite.ts"
import * as AccountEventsOutbox from "./AccountEventsOutbox.ts"
import * as AccountLimitsSqlite from "./AccountLimitsSqlite.ts"
import * as AccountStoreSqlite from "./AccountStoreSqlite.ts"
import { accountTables } from "./accountTables.ts"
import * as AppPasswordsSqlite from "./AppPasswordsSqlite.ts"
import * as ArrivalSqlite from "./ArrivalSqlite.ts"
import * as AuthAccount from "./AuthAccount.ts"
import * as BlobIndexSqlite from "./BlobIndexSqlite.ts"
import * as BlockStoreSqlite from "./BlockStoreSqlite.ts"
import * as Logging from "./Logging.ts"
import * as OAuthSessionsSqlite from "./OAuthSessionsSqlite.ts"
import * as OutboxSqlite from "./OutboxSqlite.ts"
import * as PasskeyLinksSqlite from "./PasskeyLinksSqlite.ts"
import * as PasskeysSqlite from "./PasskeysSqlite.ts"
import * as PreferencesSqlite from "./PreferencesSqlite.ts"
import * as RecordsSqlite from "./RecordsSqlite.ts"
import * as RepoCountsLocal from "./RepoCountsLocal.ts"
import * as RepoImportSqlite from "./RepoImportSqlite.ts"
import * as RepoSqlite from "./RepoSqlite.ts"
import * as SecondFactorsSqlite from "./SecondFactorsSqlite.ts"
import * as SessionsSqlite from "./SessionsSqlite.ts"
import * as sharedServices from "./sharedServices.ts"
import * as SignerAccount from "./SignerAccount.ts"
import * as TakedownsSqlite from "./TakedownsSqlite.ts"

/** The account in this object is known here; handles of its neighbours are in the directory. */
const local = Effect.gen(function* () {
  const accounts = yield* AccountStore
  const directory = yield* Directory
  const settings = yield* Config
  return (didOrHandle: string) =>
    Effect.gen(function* () {
      const account = accounts.peek()
      if (
        account !== undefined &&
        (didOrHandle === account.did || didOrHandle === account.handle)
      ) {
        return Option.some(
          isServedHere(account.did, settings)
            ? { did: account.did, didDoc: expectedDocument(account, settings) }
            : { did: account.did }
        )
      }
      if (didOrHandle.startsWith("did:")) return Option.none()
      return yield* directory.byHandle(didOrHandle).pipe(
        Effect.map((entry) => Option.map(Option.fromUndefinedOr(entry), ({ did }) => ({ did }))),
        Effect.catch(sharedServices.orOthers(didOrHandle, settings))
      )
    })
})

/**
 * Everything that lives in an account's object, over its storage, its alarm, the log, the directory and the blob store.
 *
 * The same in a Durable Object and on Node: only what is underneath differs.
 */
export const layer = (object: { readonly did: string; readonly wipe: Effect.Effect<void> }) =>
  Layer.mergeAll(
    AccountEventsOutbox.layer,
    RepoCountsLocal.layer,
    RepoImportSqlite.layer,
    AuthAccount.layer,
    PreferencesSqlite.layer,
    SecondFactorsSqlite.layer,
    PasskeysSqlite.layer,
    PasskeyLinksSqlite.layer,
    AccountCodesSqlite.layer,
    AccountLimitsSqlite.layer,
    AccountLock.layer,
    TakedownsSqlite.layer,
    Passwords.layer,
    Logging.layer
  ).pipe(
    Layer.provideMerge(Layer.merge(AppPasswordsSqlite.layer, ArrivalSqlite.layer)),
    Layer.provideMerge(
      Layer.mergeAll(SessionsSqlite.layer, OAuthSessionsSqlite.layer, RepoSqlite.layer)
    ),
    Layer.provideMerge(
      Layer.mergeAll(
        OutboxSqlite.layer,
        BlockStoreSqlite.layer,
        RecordsSqlite.layer,
        BlobIndexSqlite.layer,
        SignerAccount.layer
      )
    ),
    Layer.provideMerge(Layer.merge(sharedServices.layer(local), EdgeGate.layer)),
    Layer.provideMerge(AccountStoreSqlite.layer({ ...object, tables: accountTables }))
  )
