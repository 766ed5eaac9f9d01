import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { seenAs } from "./AccountHistory.ts"
import { deletionDay } from "./AccountDeletion.ts"
import { askDeletion, askDeletionByCode, deletion, undoDeletion } from "./heldDeletion.ts"
import { signInFacts } from "./signInFacts.ts"
import { deactivate } from "./AccountStatus.ts"
import { AccountStore, inactiveStatus } from "./AccountStore.ts"
import { changeEmailFactor, confirmEmail, replaceEmail, updateEmail } from "./EmailAddress.ts"
import { beginMigration } from "./PendingMigration.ts"
import {
  restore,
  type SubjectChange,
  subjectStatus,
  suspend,
  updateSubject
} from "./SubjectStatus.ts"
import type { Subject } from "./Takedowns.ts"
import { endSignUp } from "./signUp/SignUpEnd.ts"
import { storage } from "../blobs/quota.ts"
import { PublicCacheGate } from "../edge/PublicCacheGate.ts"
import { InvalidRequest } from "../failures.ts"
import { Alarm } from "../host/Alarm.ts"
import { changeHandle, changeOwnHandle } from "../identity/HandleChange.ts"
import { verifyHandle } from "../identity/HandleProof.ts"
import { changeSigningKey } from "../identity/SigningKeyChange.ts"
import type { CodePurpose } from "../mail/AccountCodes.ts"
import { mailCode } from "../mail/MailedCodes.ts"
import { Mailer } from "../mail/Mailer.ts"
import { Repo } from "../repo/Repo.ts"
import { Passwords } from "../sessions/Passwords.ts"
import { Sessions } from "../sessions/Sessions.ts"
import { AccountEvents } from "../stream/AccountEvents.ts"
import type { SeenFrom } from "../../core/sessions/seenFrom.ts"

/** Delay until the alarm checks for an unannounced sign-up, in milliseconds. */
const announceAfter = 30_000

/**
 * The number of records of this object's account; undefined if its sign-up was interrupted before
 * the repo existed.
 */
const recordCount = Effect.flatMap(Repo, (repo) => repo.head).pipe(
  Effect.map(({ records }) => records),
  Effect.catchTag("RepoNotFound", () => Effect.undefined)
)

/** Creates the account and its empty repo, and opens its first session. */
export const create = Effect.fnUntraced(function* (input: {
  readonly did: string
  readonly handle: string
  readonly email?: string
  readonly password?: string
  /** The account's wrapped signing key. */
  readonly signingKey: {
    readonly curve: "k256" | "p256"
    readonly wrapped: Uint8Array
    readonly didKey: string
  }
  /** False for an account that moves in, which stays deactivated. */
  readonly active: boolean
  readonly from?: SeenFrom
}) {
  const now = yield* Clock.currentTimeMillis
  const accounts = yield* AccountStore
  if (accounts.peek() !== undefined && (yield* recordCount) === undefined) yield* accounts.destroy
  const password =
    input.password === undefined ? undefined : yield* (yield* Passwords).hash(input.password)
  const createdAt = new Date(now).toISOString()
  yield* accounts.create(
    {
      did: input.did,
      handle: input.handle,
      email: input.email,
      emailConfirmedAt: undefined,
      emailFactorAt: undefined,
      password,
      signingKey: input.signingKey,
      deactivatedAt: input.active ? undefined : createdAt,
      deleteAfter: undefined,
      takedown: undefined,
      createdAt
    },
    { kind: "created", ...seenAs(input.from ?? {}) }
  )
  yield* (yield* Repo).create
  // The alarm (`settleSignUp`) announces or ends an interrupted sign-up.
  if (input.active) yield* (yield* Alarm).by(now + announceAfter)
  else {
    yield* (yield* AccountEvents).noSignUp
    yield* beginMigration
  }
  return yield* (yield* Sessions).open(input.did, {
    level: "full",
    from: input.from,
    isFirst: true
  })
})

/** Undoes a sign-up; keeps an account that has written anything. */
const destroy = Effect.gen(function* () {
  const accounts = yield* AccountStore
  if (accounts.peek() === undefined) return yield* accounts.destroy
  if (((yield* recordCount) ?? 0) > 0) {
    return yield* new InvalidRequest({ message: "The account is in use and is not removed" })
  }
  yield* accounts.destroy
})

/** The facts that the host needs to answer for the account. */
const summary = Effect.gen(function* () {
  const shared = (yield* PublicCacheGate).share()
  const account = yield* (yield* AccountStore).get
  // Without a repo the sign-up was interrupted, and the account doesn't exist yet.
  yield* (yield* Repo).head
  const status = inactiveStatus(account)
  const deleteAfter = yield* deletionDay(account)
  const { did, handle, emailConfirmedAt, deactivatedAt } = account
  return {
    did,
    handle,
    signingKey: account.signingKey.didKey,
    shared,
    active: status === undefined,
    ...(status === undefined ? {} : { status }),
    ...(emailConfirmedAt === undefined ? {} : { emailConfirmedAt }),
    ...(deactivatedAt === undefined ? {} : { deactivatedAt }),
    ...(deleteAfter === undefined ? {} : { deleteAfter })
  }
})

/** What the account stores. */
const size = Effect.gen(function* () {
  const { records } = yield* (yield* Repo).head
  return { records, ...(yield* storage) }
})

/** The administrator's calls to the account's object. */
const adminCalls = {
  size: () => size,
  subjectStatus: ({ subject }: { readonly subject: Subject }) => subjectStatus(subject),
  updateSubject: ({
    subject,
    change
  }: {
    readonly subject: Subject
    readonly change: SubjectChange
  }) => updateSubject(subject, change),
  setEmail: ({ email }: { readonly email: string }) => replaceEmail(email),
  setHandle: ({ handle }: { readonly handle: string }) => changeHandle(handle, { override: true }),
  changeSigningKey,
  forceDeletion: () => Effect.asVoid(deletion),
  suspend,
  restore: () => restore(),
  signInFacts: () => signInFacts(),
  askDeletion: () => askDeletion(),
  undoDeletion: () => undoDeletion()
}

/** The account pages' calls to the object, except for sign-in. */
const ownershipCalls = {
  requestCode: ({ purpose }: { readonly purpose: Exclude<CodePurpose, "reset_password"> }) =>
    mailCode(purpose),
  confirmEmail: Effect.fnUntraced(function* ({ code }: { readonly code: string }) {
    const { email = "" } = yield* (yield* AccountStore).get
    yield* confirmEmail({ email, token: code })
  }),
  updateEmail: ({ email, code }: { readonly email: string; readonly code: string }) =>
    Effect.flatMap(Mailer, ({ delivers }) =>
      updateEmail({ email, token: code, isProven: !delivers })
    ),
  changeEmailFactor: ({ on, code }: { readonly on: boolean; readonly code: string }) =>
    changeEmailFactor({ on, token: code }),
  updateHandle: ({ handle }: { readonly handle: string }) => changeOwnHandle(handle),
  deactivate: ({ deleteAfter }: { readonly deleteAfter?: string }) => deactivate(deleteAfter),
  askDeletionByCode
}

/** Calls for sign-up, and for information about the account. */
export const accountCalls = {
  create,
  announce: () => Effect.flatMap(AccountEvents, (events) => events.signUp),
  destroy: () => destroy,
  endSignUp,
  verifyHandle: () => verifyHandle(),
  summary: () => summary,
  ...adminCalls,
  ...ownershipCalls
}
