import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { AccountCalls } from "../../services/accounts/AccountCalls.ts"
import { AccountEvents } from "../../services/stream/AccountEvents.ts"
import { AccountStore, inactiveStatus } from "../../services/accounts/AccountStore.ts"
import { deletionDay } from "../../services/accounts/AccountDeletion.ts"
import { Alarm } from "../../services/host/Alarm.ts"
import { beginArrival } from "../../services/accounts/PendingMigration.ts"
import { EdgeGate } from "../../services/edge/EdgeGate.ts"
import { Passwords } from "../../services/sessions/Passwords.ts"
import { Repo } from "../../services/repo/Repo.ts"
import { Sessions } from "../../services/sessions/Sessions.ts"
import { InvalidRequest } from "../../services/failures.ts"

/** When the alarm looks whether a sign-up was left unannounced, in milliseconds. */
const announceAfter = 30_000

/** How many records the account in this object has; none where its sign-up was cut off before the repo was made. */
const recordCount = Effect.flatMap(Repo, (repo) => repo.head).pipe(
  Effect.map(({ records }) => records),
  Effect.catchTag("RepoNotFound", () => Effect.undefined)
)

/** Makes the account and its empty repo, and opens its first session. */
export const create = Effect.fnUntraced(function* (input: AccountCalls["create"]["input"]) {
  const now = yield* Clock.currentTimeMillis
  const accounts = yield* AccountStore
  if (accounts.peek() !== undefined && (yield* recordCount) === undefined) yield* accounts.destroy
  const password =
    input.password === undefined ? undefined : yield* (yield* Passwords).hash(input.password)
  const createdAt = new Date(now).toISOString()
  yield* accounts.create({
    did: input.did,
    handle: input.handle,
    email: input.email,
    emailConfirmedAt: undefined,
    password,
    signingKey: input.signingKey,
    deactivatedAt: input.active ? undefined : createdAt,
    deleteAfter: undefined,
    takedown: undefined,
    createdAt
  })
  yield* (yield* Repo).create
  // A sign-up that is cut off is announced or ended by the alarm (`settleSignUp`).
  if (input.active) yield* (yield* Alarm).by(now + announceAfter)
  else {
    yield* (yield* AccountEvents).noSignUp
    yield* beginArrival
  }
  return yield* (yield* Sessions).open(input.did, { level: "full" })
})

/** Undoes a sign-up; an account that has written anything is none, and stays. */
export const destroy = Effect.gen(function* () {
  const accounts = yield* AccountStore
  if (accounts.peek() === undefined) return yield* accounts.destroy
  if (((yield* recordCount) ?? 0) > 0) {
    return yield* new InvalidRequest({ message: "The account is in use and is not removed" })
  }
  yield* accounts.destroy
})

/** What the host must know of the account to answer for it. */
export const summary = Effect.gen(function* () {
  const shared = (yield* EdgeGate).share()
  const account = yield* (yield* AccountStore).get
  // Without a repo the sign-up was cut off, and nobody lives here yet.
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
