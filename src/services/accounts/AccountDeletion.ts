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

/** Keys of blobs that are deleted in one call of the store. */
const keysAStep = 500

/** When the alarm goes on with a deletion that was cut off, in milliseconds. */
const resumeAfter = 60_000

/** How often the log is asked to take the last event before the alarm sees to it. */
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

/** Whether the log has everything. */
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
 * Removes an account that is due: blobs, rows of the host's database, the deletion's event, and then the storage.
 *
 * Each step may be done again: whatever is cut off, the alarm begins anew. The storage goes last, since in it stands
 * that there is something to be done.
 */
const removeDue = Effect.gen(function* () {
  const accounts = yield* AccountStore
  const account = accounts.peek()
  if (account === undefined || !isDeletionDue(account, yield* Clock.currentTimeMillis)) return
  const { did } = account
  // What the edge remembers of it is found no more, before the longer steps.
  yield* (yield* Directory).setStatus(did, "deactivated")
  yield* deleteBlobs
  yield* (yield* Devices).signOutAll(did)
  yield* (yield* PasskeyOwners).removeAll(did)
  yield* (yield* CodeOwners).remove(did)
  const directory = yield* Directory
  const wasNeverActive = (yield* PendingMigration).until() !== undefined
  // Nobody has come by its invite.
  if (wasNeverActive) yield* directory.release(did)
  yield* directory.remove(did)
  // Nobody has heard of one that was never active, and its DID may live elsewhere.
  if (wasNeverActive) return yield* accounts.destroy
  yield* (yield* AccountEvents).deleted
  if (yield* delivered) yield* accounts.destroy
})

const removeOrResume = Effect.gen(function* () {
  // Before the first step, which may be the last one that this object lives to see.
  yield* (yield* Alarm).by((yield* Clock.currentTimeMillis) + resumeAfter)
  yield* (yield* AccountLock).alone(removeDue)
}).pipe(
  Effect.catchCause((cause) => Effect.logWarning("account not deleted yet", cause)),
  Effect.uninterruptible
)

/** Shuts the account for good: nobody is in any more, and from here on the alarm sees the deletion through. */
const shut = Effect.fnUntraced(function* (account: Account) {
  const now = new Date(yield* Clock.currentTimeMillis).toISOString()
  const sessions = yield* Sessions
  const apps = yield* OAuthSessions
  yield* (yield* AccountStore).update({
    deactivatedAt: account.deactivatedAt ?? now,
    deleteAfter: now
  })
  yield* sessions.endAll()
  yield* apps.endAll
})

/** Deletes the account by its password and a mailed code; once it is decided, the rest is done here or by the alarm. */
export const deleteAccount = Effect.fn("deleteAccount")(function* (input: {
  readonly password: string
  readonly code: string
}) {
  const account = yield* slowToFail(
    Effect.mapError(
      provePassword(input.password),
      () => new Denied({ error: "AuthenticationRequired", message: "Invalid did or password" })
    )
  )
  yield* (yield* AccountCodes).use("delete_account", input.code)
  yield* shut(account)
  yield* removeOrResume
})

/** Deletes the account by a mailed code, for an owner who has just proven on the account's pages who they are. */
export const deleteByCode = Effect.fn("deleteByCode")(function* (input: { readonly code: string }) {
  const account = yield* (yield* AccountStore).get
  yield* (yield* AccountCodes).use("delete_account", input.code)
  yield* shut(account)
  yield* removeOrResume
})

/** Deletes an account without asking its owner: by the administrator. */
export const forceDeletion = Effect.gen(function* () {
  yield* shut(yield* (yield* AccountStore).get)
  yield* removeOrResume
})

/** When an account is deleted unless something comes in between: its owner's wish, or the end of a move that came to nothing. */
export const deletionDay = Effect.fnUntraced(function* (account: Account) {
  const until = (yield* PendingMigration).until()
  const lost = until === undefined ? undefined : new Date(until).toISOString()
  return account.deleteAfter ?? lost
})

/** Deletes an account that moved in and was waited for in vain; for the alarm. */
export const deleteWhenAbandoned = Effect.gen(function* () {
  const lost = yield* (yield* AccountLock).alone(
    // Who is there is shut: that it is not is a defect.
    Effect.tap(abandonedMigration, (account) =>
      account === undefined ? Effect.void : Effect.orDie(shut(account))
    )
  )
  if (lost !== undefined) yield* removeOrResume
})

/** Deletes an account whose time has come, or lets the alarm ring when it will have; for the alarm. */
export const deleteWhenDue = Effect.gen(function* () {
  const account = (yield* AccountStore).peek()
  if (account?.deleteAfter === undefined) return
  const due = isDeletionDue(account, yield* Clock.currentTimeMillis)
  yield* due ? removeOrResume : (yield* Alarm).by(Date.parse(account.deleteAfter))
})
