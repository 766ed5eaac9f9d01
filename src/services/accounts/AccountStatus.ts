import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { didMethod } from "../../core/identity/did.ts"
import { formatDidKey, publicKeyOf } from "../../core/identity/didKey.ts"
import { pdsOf, signingKeyOf } from "../../core/identity/didDocument.ts"
import { AccountEvents } from "../stream/AccountEvents.ts"
import { AccountLock } from "./AccountLock.ts"
import {
  type Account,
  AccountStore,
  inactiveStatus,
  isDeletionDue,
  RepoInactive,
  type RepoNotFound
} from "./AccountStore.ts"
import type { Caller } from "../sessions/Authority.ts"
import { Alarm } from "../host/Alarm.ts"
import type { HistoryEvent } from "../../core/accounts/history.ts"
import { PendingDeletion } from "./PendingDeletion.ts"
import { PendingMigration } from "./PendingMigration.ts"
import { Config } from "../host/Config.ts"
import { Directory } from "./Directory.ts"
import { Identity } from "../identity/Identity.ts"
import { OAuthSessions } from "../oauth/OAuthSessions.ts"
import { isServedHere } from "../identity/HostedDidDocument.ts"
import { PasskeyLinks } from "../factors/PasskeyLinks.ts"
import { PlcDirectory } from "../identity/PlcDirectory.ts"
import { Repo } from "../repo/Repo.ts"
import { RepoCounts } from "../repo/RepoCounts.ts"
import { Sessions } from "../sessions/Sessions.ts"

/** The account's DID doesn't point to this server, or not with the account's key. */
export class IncompatibleDid extends Schema.TaggedError<IncompatibleDid>()("IncompatibleDid", {
  did: Schema.String,
  message: Schema.String
}) {}

/** The account is being deleted, so its status can't change. */
export class DeletionDue extends Schema.TaggedError<DeletionDue>()("DeletionDue", {
  did: Schema.String
}) {}

/**
 * Minimum time that a deactivated account is kept, in milliseconds: rotation keys of another server
 * or its owner may undo a move for this long. Spec: did:plc, recovery.
 */
const keptAtLeast = 72 * 3_600_000

/** The account, unless it is being deleted. */
export const lastingAccount = Effect.gen(function* () {
  const account = yield* (yield* AccountStore).get
  const due = isDeletionDue(account, yield* Clock.currentTimeMillis)
  return due ? yield* new DeletionDue({ did: account.did }) : account
})

const alone = <A, E, R>(change: Effect.Effect<A, E, R>) =>
  Effect.flatMap(AccountLock, (lock) => lock.alone(change))

/** When to delete a deactivated account: as its owner requested, but not too early. */
const deletionTime = (wish: string, now: number): string => {
  const soonest = now + keptAtLeast
  return Date.parse(wish) < soonest ? new Date(soonest).toISOString() : wish
}

/**
 * Checks, bypassing caches, that the DID document names this server and the account's key, and that
 * a did:plc has this server's rotation key.
 *
 * Spec: account lifecycle, migration.
 */
const assertDid = Effect.fn("assertDid")(function* (account: Account) {
  const settings = yield* Config
  const { did } = account
  if (isServedHere(did, settings)) return
  const fail = (message: string) => new IncompatibleDid({ did, message })
  const identity = yield* Identity
  const document = yield* identity
    .resolveDid(did, { fresh: true })
    .pipe(Effect.mapError(() => fail("DID document could not be resolved")))
  if (pdsOf(document)?.replace(/\/$/, "") !== settings.publicUrl) {
    return yield* fail("DID document atproto_pds service endpoint does not match this server's URL")
  }
  if (signingKeyOf(document) !== account.signingKey.didKey) {
    return yield* fail("DID document verification method does not match the account's signing key")
  }
  if (didMethod(did) !== "plc") return
  const plc = yield* PlcDirectory
  const { rotationKeys } = yield* plc
    .data(did)
    .pipe(Effect.mapError(() => fail("PLC data could not be read")))
  const ours = formatDidKey(publicKeyOf("k256", Redacted.value(settings.plcRotationKey)))
  if (!rotationKeys.includes(ours)) {
    return yield* fail("This server's rotation key is not included in the PLC DID data")
  }
})

/**
 * Signs a new head over the same records: another host may have published later revs meanwhile, and
 * relays ignore a `#sync` that isn't above them.
 */
const renewHead = Effect.gen(function* () {
  const repo = yield* Repo
  const { commit: expected, root, records, nodes, ...head } = yield* repo.head
  const rev = yield* repo.revAbove(head.rev)
  yield* repo.replace({ expected, root, rev, records, nodes, place: () => undefined }).pipe(
    // An import came in between, and its head is just as new.
    Effect.catchTag("InvalidSwap", () => Effect.void)
  )
})

/**
 * Activates the account once its DID points here, and emits account, identity and sync.
 *
 * Spec: account lifecycle.
 */
export const activate = Effect.fn("activate")(function* () {
  const accounts = yield* AccountStore
  const account = yield* lastingAccount
  yield* assertDid(account)
  // The directory first: if it is unreachable nothing has changed, and the call can be repeated.
  yield* (yield* Directory).setStatus(account.did, account.takedown ?? "active")
  if (account.deactivatedAt !== undefined) yield* renewHead
  const pending = yield* PendingDeletion
  const kind = pending.get() === undefined ? "activated" : "deletion-undone"
  pending.set(undefined)
  yield* accounts.update(
    { deactivatedAt: undefined, deleteAfter: undefined },
    account.deactivatedAt === undefined ? undefined : { kind }
  )
  yield* (yield* PendingMigration).set(undefined)
  const events = yield* AccountEvents
  yield* events.account
  yield* events.identity
  yield* events.sync
}, alone)

/**
 * Closes the account until its owner returns, or until `due`, when the alarm deletes it: ends every
 * session and app except the calling session.
 */
export const close = Effect.fn("close")(function* ({
  due,
  event,
  by,
  before = () => {}
}: {
  readonly due: string | undefined
  readonly event: HistoryEvent
  readonly by?: { readonly session: string } | undefined
  /** Runs in the same turn as the change. */
  readonly before?: () => void
}) {
  const sessions = yield* Sessions
  const apps = yield* OAuthSessions
  const account = yield* lastingAccount
  yield* (yield* Directory).setStatus(account.did, account.takedown ?? "deactivated")
  const now = yield* Clock.currentTimeMillis
  const deactivatedAt = account.deactivatedAt ?? new Date(now).toISOString()
  const accounts = yield* AccountStore
  before()
  yield* accounts.update({ deactivatedAt, deleteAfter: due }, event)
  // A link must not become valid again on reactivation.
  const links = yield* PasskeyLinks
  links.revoke()
  yield* sessions.endAll(by === undefined ? {} : { except: by.session })
  yield* apps.endAll
  if (due !== undefined) yield* (yield* Alarm).by(Date.parse(due))
  yield* (yield* AccountEvents).account
}, alone)

/**
 * Deactivates the account and emits an event; after `deleteAfter` the alarm deletes it.
 *
 * Ends every session and app except the calling session (`by`), with which clients may reactivate.
 * The owner connects apps again after reactivation.
 */
export const deactivate = Effect.fn("deactivate")(function* (
  deleteAfter: string | undefined,
  by?: { readonly session: string }
) {
  const now = yield* Clock.currentTimeMillis
  const due = deleteAfter === undefined ? undefined : deletionTime(deleteAfter, now)
  const until = due === undefined ? {} : { after: due }
  const pending = yield* PendingDeletion
  // A date of the owner's own replaces a deletion that was held back.
  const before = () => pending.set(undefined)
  yield* close({ due, event: { kind: "deactivated", ...until }, by, before })
})

/** The response of checkAccountStatus: the progress of a migration. */
export const accountStatus = Effect.fn("accountStatus")(function* () {
  const account = yield* (yield* AccountStore).get
  const counts = yield* (yield* RepoCounts).get
  const validDid = yield* assertDid(account).pipe(
    Effect.as(true),
    Effect.catchTag("IncompatibleDid", () => Effect.succeed(false))
  )
  return {
    activated: inactiveStatus(account) === undefined,
    validDid,
    repoCommit: counts.commit,
    repoRev: counts.rev,
    repoBlocks: counts.blocks,
    indexedRecords: counts.records,
    privateStateValues: counts.privateStateValues,
    expectedBlobs: counts.expectedBlobs,
    importedBlobs: counts.importedBlobs
  }
})

/**
 * The account, if this caller may read it: only its owner and the administrator may read an
 * inactive one.
 */
export const readable = (
  accounts: AccountStore["Service"],
  caller: Caller
): Result.Result<Account, RepoNotFound | RepoInactive> =>
  Result.flatMap(accounts.find(), (account) => {
    const { did } = account
    const status = inactiveStatus(account)
    return status === undefined || caller.kind !== "anonymous"
      ? Result.succeed(account)
      : Result.fail(new RepoInactive({ did, status }))
  })

/** The same as an effect. */
export const readableAccount = (caller: Caller) =>
  Effect.flatMap(AccountStore, (accounts) => Effect.fromResult(readable(accounts, caller)))
