import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AccountCodes } from "../mail/AccountCodes.ts"
import { AccountEvents } from "../stream/AccountEvents.ts"
import { AccountLock } from "./AccountLock.ts"
import { type Account, AccountStore, isDeletionDue } from "./AccountStore.ts"
import { Alarm } from "../host/Alarm.ts"
import { PendingMigration, abandonedMigration } from "./PendingMigration.ts"
import { Denied } from "../sessions/Auth.ts"
import { BlobIndex } from "../blobs/BlobIndex.ts"
import { BlobStore } from "../blobs/BlobStore.ts"
import { CodeOwners } from "../mail/CodeOwners.ts"
import { Devices } from "../oauth/Devices.ts"
import { Directory } from "./Directory.ts"
import { OAuthSessions } from "../oauth/OAuthSessions.ts"
import { Outbox } from "../stream/Outbox.ts"
import { PasskeyOwners } from "../factors/PasskeyOwners.ts"
import { provePassword, slowToFail } from "../sessions/PasswordProof.ts"
import { Sessions } from "../sessions/Sessions.ts"

/** Blob keys deleted in one call to the store. */
const keysAStep = 500

/** Delay until the alarm resumes an interrupted deletion, in milliseconds. */
const resumeAfter = 60_000

/** How often to try to deliver the last event before leaving it to the alarm. */
const attempts = 20

const deleteBlobs = Effect.gen(function* () {
  const index = yield* BlobIndex
  const store = yield* BlobStore
  let cursor: string | undefined
  do {
    const page = index.keys({ limit: keysAStep, ...(cursor === undefined ? {} : { cursor }) })
    yield* store.delete(page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
})

/** Whether the log has every event. */
const delivered = Effect.gen(function* () {
  const outbox = yield* Outbox
  for (let attempt = 0; attempt < attempts; attempt++) {
    yield* outbox.deliver
    if (outbox.waiting === 0) return true
    yield* Effect.sleep("50 millis")
  }
  return false
})

/**
 * Deletes an account that is due: blobs, rows of the host's database, the deletion's event, then
 * the storage.
 *
 * Every step can be repeated: after an interruption, the alarm starts over. The storage goes last
 * because it records that there is work to do.
 */
const removeDue = Effect.gen(function* () {
  const accounts = yield* AccountStore
  const account = accounts.peek()
  if (account === undefined || !isDeletionDue(account, yield* Clock.currentTimeMillis)) return
  const { did } = account
  // Ends the edge's cached copies before the longer steps.
  yield* (yield* Directory).setStatus(did, "deactivated")
  yield* deleteBlobs
  yield* (yield* Devices).signOutAll(did)
  yield* (yield* PasskeyOwners).removeAll(did)
  yield* (yield* CodeOwners).remove(did)
  const directory = yield* Directory
  const wasNeverActive = (yield* PendingMigration).until() !== undefined
  // Its invite was never used up.
  if (wasNeverActive) yield* directory.release(did)
  yield* directory.remove(did)
  // A never active account was never announced, and its DID may be on another server.
  if (wasNeverActive) return yield* accounts.destroy
  yield* (yield* AccountEvents).deleted
  if (yield* delivered) yield* accounts.destroy
})

const removeOrResume = Effect.gen(function* () {
  // Before the first step, which may be the last that this object lives to run.
  yield* (yield* Alarm).by((yield* Clock.currentTimeMillis) + resumeAfter)
  yield* (yield* AccountLock).alone(removeDue)
}).pipe(
  Effect.catchCause((cause) => Effect.logWarning("account not deleted yet", cause)),
  Effect.uninterruptible
)

/**
 * Closes the account permanently: ends every session, and from here on the alarm completes the
 * deletion.
 */
const shut = Effect.fnUntraced(function* (account: Account) {
  const now = new Date(yield* Clock.currentTimeMillis).toISOString()
  const sessions = yield* Sessions
  const apps = yield* OAuthSessions
  yield* (yield* AccountStore).update(
    { deactivatedAt: account.deactivatedAt ?? now, deleteAfter: now },
    { kind: "deletion-asked", after: now }
  )
  yield* sessions.endAll()
  yield* apps.endAll
})

/** Proves that the owner wants the account's deletion, with its password and a mailed code. */
export const proveDeletion = Effect.fn("proveDeletion")(function* (input: {
  readonly password: string
  readonly code: string
}) {
  yield* slowToFail(
    Effect.mapError(
      provePassword(input.password),
      () => new Denied({ error: "AuthenticationRequired", message: "Invalid did or password" })
    )
  )
  yield* (yield* AccountCodes).use("delete_account", input.code)
})

/** Deletes the account at once; this call or the alarm completes it. */
export const deleteNow = Effect.gen(function* () {
  yield* shut(yield* (yield* AccountStore).get)
  yield* removeOrResume
})

/**
 * When an account will be deleted unless something changes: at its owner's request, or after an
 * abandoned move.
 */
export const deletionDay = Effect.fnUntraced(function* (account: Account) {
  const until = (yield* PendingMigration).until()
  const lost = until === undefined ? undefined : new Date(until).toISOString()
  return account.deleteAfter ?? lost
})

/** Deletes an account whose move was abandoned; for the alarm. */
export const deleteWhenAbandoned = Effect.gen(function* () {
  const lost = yield* (yield* AccountLock).alone(
    // The account exists here, so a failure to close it is a defect.
    Effect.tap(abandonedMigration, (account) =>
      account === undefined ? Effect.void : Effect.orDie(shut(account))
    )
  )
  if (lost !== undefined) yield* removeOrResume
})

/** Deletes an account that is due, or sets the alarm for when it will be; for the alarm. */
export const deleteWhenDue = Effect.gen(function* () {
  const account = (yield* AccountStore).peek()
  if (account?.deleteAfter === undefined) return
  const due = isDeletionDue(account, yield* Clock.currentTimeMillis)
  yield* due ? removeOrResume : (yield* Alarm).by(Date.parse(account.deleteAfter))
})
