import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AccountCodes } from "../mail/AccountCodes.ts"
import { Mailer } from "../mail/Mailer.ts"
import { Config } from "../host/Config.ts"
import { AccountLock } from "./AccountLock.ts"
import { activate, close, lastingAccount } from "./AccountStatus.ts"
import { AccountStore } from "./AccountStore.ts"
import { deleteNow } from "./AccountDeletion.ts"
import { PendingDeletion } from "./PendingDeletion.ts"
import { StatusRefused } from "./SubjectStatus.ts"

/** How long a deletion is held back, in milliseconds. */
export const heldFor = 72 * 3_600_000

/**
 * Asks for the account's deletion: it is deactivated, and the alarm deletes it in three days unless
 * the deletion is undone. Asking again changes nothing.
 */
const hold = Effect.gen(function* () {
  const account = yield* lastingAccount
  const pending = yield* PendingDeletion
  if (pending.get() !== undefined && account.deleteAfter !== undefined) return account.deleteAfter
  const due = new Date((yield* Clock.currentTimeMillis) + heldFor).toISOString()
  const wasActive = account.deactivatedAt === undefined
  yield* close({
    due,
    event: { kind: "deletion-asked", after: due },
    before: () => pending.set({ wasActive })
  })
  return due
})

/** Deletes the account: after three days, or at once if the server doesn't hold deletions back. */
export const askDeletion = Effect.fn("askDeletion")(function* () {
  if ((yield* Config).deletionDelay !== "off") return { deleteAfter: yield* hold }
  yield* deleteNow
  return {}
})

/** Deletes the account by the protocol's methods: at once unless the server holds these back too. */
export const deletion = Effect.gen(function* () {
  if ((yield* Config).deletionDelay === "always") yield* hold
  else yield* deleteNow
})

/**
 * Asks for the deletion for an owner who has just proven who they are, with a mailed code where mail
 * is sent.
 */
export const askDeletionByCode = Effect.fn("askDeletionByCode")(function* (input: {
  readonly code: string
}) {
  yield* lastingAccount
  if ((yield* Mailer).delivers) yield* (yield* AccountCodes).use("delete_account", input.code)
  return yield* askDeletion()
})

const withoutDate = Effect.gen(function* () {
  const pending = yield* PendingDeletion
  const accounts = yield* AccountStore
  pending.set(undefined)
  yield* accounts.update({ deleteAfter: undefined }, { kind: "deletion-undone" })
})

/**
 * Undoes a deletion that is held back, and reactivates the account if it was active before.
 *
 * An account whose DID points to another server stays deactivated.
 */
export const undoDeletion = Effect.fn("undoDeletion")(function* () {
  const account = yield* lastingAccount
  const held = (yield* PendingDeletion).get()
  if (held === undefined || account.deleteAfter === undefined) {
    return yield* new StatusRefused({ message: "The account isn't waiting for its deletion" })
  }
  const alone = (yield* AccountLock).alone(withoutDate)
  if (!held.wasActive) yield* alone
  else yield* Effect.catchTag(activate(), "IncompatibleDid", () => alone)
  return { active: (yield* AccountStore).peek()?.deactivatedAt === undefined }
})
